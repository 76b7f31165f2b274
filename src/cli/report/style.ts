/** The report's style sheet: light and dark, one column on a phone. Series colours keep a contrast of 3 : 1 on either surface. */
export const STYLE = `
:root { color-scheme: light dark; --page: #f6f5f2; --surface: #fff; --ink: #1c1d21; --soft: #5c5f66; --line: #e0ded8; --ours: #1f5fd0; --others: #7a7d85; --series-2: #c2410c; --series-3: #0f766e; --series-4: #8b3fb0; }
@media (prefers-color-scheme: dark) {
  :root { --page: #121316; --surface: #1b1d21; --ink: #eceae4; --soft: #a7a9b0; --line: #33363c; --ours: #7aa7ff; --others: #9a9da5; --series-2: #f59e63; --series-3: #4fc7b5; --series-4: #cf9bea; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .25rem; }
h3 { font-size: 1rem; margin: 0 0 .5rem; }
p { margin: 0 0 .75rem; max-width: 46rem; color: var(--soft); }
code { font-size: .9em; overflow-wrap: anywhere; }
.note { border-left: 3px solid var(--ours); padding-left: .75rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 1rem; align-items: start; margin-top: 1rem; }
figure { margin: 0; min-width: 0; padding: 1rem; background: var(--surface); border: 1px solid var(--line); border-radius: 10px; }
figure > svg { display: block; width: 100%; max-width: 36rem; height: auto; }
svg text { white-space: pre; }
figcaption { margin-top: .5rem; font-size: .875rem; }
summary { cursor: pointer; color: var(--soft); padding: .25rem 0; }
summary:focus-visible, .scroll:focus-visible { outline: 2px solid var(--ours); outline-offset: 2px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .8125rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .75rem .3rem 0; text-align: left; white-space: nowrap; border-bottom: 1px solid var(--line); }
thead th { color: var(--soft); font-weight: 500; }
tbody th { font-weight: 600; }
.key { display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin: 0; padding: 0; list-style: none; font-size: .8125rem; }
.key li { display: flex; align-items: center; gap: .35rem; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
`;
