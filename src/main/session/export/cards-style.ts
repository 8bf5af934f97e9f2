/** Tool calls, notes, the table of usage, and paper. */
export const CARDS_STYLE = `.tools {
  margin: 0 0 24px;
  background: var(--raised);
  border: 1px solid var(--line);
  border-radius: 10px;
  overflow: hidden;
}
.tool + .tool {
  border-top: 1px solid var(--line);
}
.tool summary {
  display: flex;
  gap: 10px;
  align-items: baseline;
  padding: 8px 14px;
  font-size: 13px;
  list-style: none;
}
.tool summary::-webkit-details-marker {
  display: none;
}
.tool summary b {
  font-weight: 500;
}
.tool summary:hover {
  background: var(--sunken);
}
.about {
  flex: 1;
  min-width: 0;
  overflow: hidden;
  color: var(--ink-2);
  font-family: var(--mono);
  font-size: 12px;
  text-overflow: ellipsis;
  white-space: nowrap;
}
.facts {
  color: var(--ink-2);
  font-size: 12px;
}
.tool[open] .about {
  white-space: normal;
}
.state {
  flex: none;
  align-self: center;
  width: 8px;
  height: 8px;
  border-radius: 50%;
  background: var(--ink-2);
  print-color-adjust: exact;
}
.ok > summary .state {
  background: var(--ok);
}
.error > summary .state {
  background: var(--bad);
}
.error > summary .facts {
  color: var(--bad);
}
:is(.rejected, .cancelled, .abandoned) > summary .state {
  background: none;
  border: 2px solid var(--warn);
}
.tool > pre {
  margin: 0;
  border-width: 1px 0 0;
  border-radius: 0;
}
.command {
  background: var(--raised);
}
.command::before {
  content: "$ ";
  color: var(--ink-2);
}
.label {
  margin: 0;
  padding: 6px 14px;
  border-top: 1px solid var(--line);
  color: var(--ink-2);
  font-size: 12px;
}
.diff span {
  display: block;
  margin: 0 -14px;
  padding: 0 14px;
}
.diff .added {
  background: var(--ok-soft);
  color: var(--ok);
}
.diff .removed {
  background: var(--bad-soft);
  color: var(--bad);
}
.diff .hunk,
.diff .meta {
  color: var(--ink-2);
}
.note {
  margin: 0 0 24px;
  padding: 8px 14px;
  border-left: 3px solid var(--line);
  color: var(--ink-2);
  font-size: 13px;
  white-space: pre-wrap;
}
.note p {
  margin: 0;
}
.note.guard,
.note.limit {
  border-color: var(--warn);
  background: var(--warn-soft);
  color: var(--ink);
}
.note.error {
  border-color: var(--bad);
  background: var(--bad-soft);
  color: var(--ink);
}
.usage {
  margin-top: 40px;
  padding-top: 24px;
  border-top: 1px solid var(--line);
}
.wide {
  overflow-x: auto;
  margin-bottom: 12px;
}
.usage table {
  width: 100%;
  margin: 0;
}
th,
td {
  padding: 5px 10px;
  border-bottom: 1px solid var(--line);
}
:is(th, td):not([align], .number) {
  text-align: left;
}
.usage :is(th, td) {
  padding: 5px 7px;
  font-size: 12px;
}
.usage :is(th, td):first-child {
  padding-left: 0;
}
.usage :is(th, td):last-child {
  padding-right: 0;
}
th {
  color: var(--ink-2);
  font-weight: 500;
}
.number {
  text-align: right;
  white-space: nowrap;
  font-variant-numeric: tabular-nums;
}
tfoot td {
  font-weight: 600;
  border-bottom: 0;
}
footer {
  margin-top: 32px;
}
@media (max-width: 560px) {
  main {
    padding: 24px 14px 40px;
  }
  .user {
    margin-left: 0;
  }
  .tool summary {
    flex-wrap: wrap;
  }
}
@media print {
  :root {
    color-scheme: light;
    --bg: #ffffff;
    --raised: #ffffff;
    --sunken: #f6f6f3;
    --line: #d6d4cc;
    --ink: #000000;
    --ink-2: #4d4b44;
    --ok: #157347;
    --ok-soft: #e8f5ec;
    --bad: #b42318;
    --bad-soft: #fdecea;
    --warn: #965b06;
    --warn-soft: #fdf6dd;
    --info: #1d5fbf;
    --accent: #b45309;
  }
  main {
    max-width: none;
    padding: 0;
  }
  /* What is folded on the screen would be missing on paper. */
  details::details-content {
    content-visibility: visible;
    display: block;
  }
  pre {
    white-space: pre-wrap;
    overflow-wrap: anywhere;
  }
  .about {
    white-space: normal;
  }
  .tools {
    overflow: visible;
  }
  summary,
  h1,
  h2 {
    break-after: avoid;
  }
}
`
