"""The style of the pages: readable on paper, on a phone, by day and by night."""

STYLE = """
:root { color-scheme: light dark; --ink: #1c1c1e; --paper: #fff; --line: #d8d8dc; --soft: #f4f4f6; --mark: #0072b2; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8e8ea; --paper: #161618; --line: #3a3a3e; --soft: #222226; --mark: #56b4e9; }
}
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { margin: 2.5rem 0 .5rem; border-bottom: 1px solid var(--line); }
h3 { margin: 1.5rem 0 .25rem; font-size: 1.05rem; }
p, li { max-width: 46rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; margin: .5rem 0 1rem; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th:first-child { text-align: left; font-weight: 600; }
thead th { border-bottom: 2px solid var(--line); }
td small { opacity: .7; font-size: .78em; display: block; }
td.best, strong { color: var(--mark); }
img { max-width: 100%; height: auto; background: #fff; border-radius: 4px; }
details > summary { cursor: pointer; font-weight: 600; margin: .4rem 0; }
.player { background: var(--soft); border-radius: 8px; padding: .8rem; margin: .5rem 0 1rem; }
.transport { display: flex; gap: .8rem; align-items: center; }
.seek { flex: 1; }
.time { min-width: 4rem; text-align: right; font-variant-numeric: tabular-nums; }
.choices { display: flex; flex-wrap: wrap; gap: .4rem; margin-top: .6rem; }
button { font: inherit; padding: .3rem .8rem; border: 1px solid var(--line); border-radius: 6px; cursor: pointer;
  background: var(--paper); color: var(--ink); }
button[aria-pressed=true] { background: var(--mark); border-color: var(--mark); color: #fff; }
button:focus-visible, input:focus-visible { outline: 3px solid var(--mark); outline-offset: 2px; }
button:disabled { opacity: .5; cursor: default; }
.trial { margin: 1rem 0; }
.rating { display: grid; grid-template-columns: 4rem 1fr 3rem; gap: .6rem; align-items: center; margin: .3rem 0; }
.scale { display: grid; grid-template-columns: repeat(5, 1fr); margin: 0 3.6rem 0 4.6rem; font-size: .8rem;
  text-align: center; }
"""
