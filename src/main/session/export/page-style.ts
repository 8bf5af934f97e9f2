/** The page as a whole, and text in it. The colours are those of the window. */
export const PAGE_STYLE = `:root {
  color-scheme: light dark;
  --bg: #fafaf8;
  --raised: #ffffff;
  --sunken: #f3f3ef;
  --line: #e7e6e0;
  --ink: #1b1a17;
  --ink-2: #5f5d55;
  --accent: #b45309;
  --ok: #157347;
  --ok-soft: #e8f5ec;
  --warn: #965b06;
  --warn-soft: #fdf6dd;
  --bad: #b42318;
  --bad-soft: #fdecea;
  --info: #1d5fbf;
  --sans: Inter, ui-sans-serif, system-ui, sans-serif;
  --mono: "JetBrains Mono", ui-monospace, "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --bg: #141412;
    --raised: #1b1b18;
    --sunken: #10100e;
    --line: #2a2925;
    --ink: #ecebe6;
    --ink-2: #a9a69b;
    --accent: #f0a63c;
    --ok: #5cc98a;
    --ok-soft: #14261b;
    --warn: #e3b341;
    --warn-soft: #2a230f;
    --bad: #f08a80;
    --bad-soft: #2d1816;
    --info: #86b2f5;
  }
}
* {
  box-sizing: border-box;
}
body {
  margin: 0;
  background: var(--bg);
  color: var(--ink);
  font: 15px / 1.6 var(--sans);
  overflow-wrap: break-word;
}
main {
  max-width: 780px;
  margin: 0 auto;
  padding: 40px 24px 64px;
}
h1 {
  margin: 0 0 16px;
  font-size: 24px;
  line-height: 1.25;
  font-weight: 600;
}
h2 {
  margin: 0 0 12px;
  font-size: 15px;
  font-weight: 600;
}
code,
pre {
  font-family: var(--mono);
  font-size: 0.87em;
}
pre code {
  font-size: inherit;
}
a {
  color: var(--info);
}
p {
  margin: 0 0 12px;
}
table {
  border-collapse: collapse;
  font-size: 13px;
  margin-bottom: 12px;
}
time,
.quiet,
footer {
  color: var(--ink-2);
  font-size: 12px;
  font-weight: 400;
}
header {
  border-bottom: 1px solid var(--line);
  margin-bottom: 28px;
  padding-bottom: 20px;
}
header dl {
  display: flex;
  flex-wrap: wrap;
  gap: 10px 28px;
  margin: 0;
}
header dl div {
  min-width: 0;
}
dt {
  color: var(--ink-2);
  font-size: 11px;
}
dd {
  margin: 0;
  font-size: 13px;
}
dd time {
  color: inherit;
  font-size: inherit;
}
.plan ol {
  list-style: none;
  margin: 0;
  padding: 0;
}
.plan {
  margin-bottom: 32px;
}
.plan li {
  display: flex;
  gap: 12px;
  align-items: baseline;
  padding: 2px 0;
}
.plan .completed {
  color: var(--ink-2);
}
.box {
  flex: none;
  width: 11px;
  height: 11px;
  border: 1px solid var(--ink-2);
  border-radius: 3px;
  print-color-adjust: exact;
}
.completed .box {
  background: var(--ok);
  border-color: var(--ok);
}
.in_progress .box {
  background: linear-gradient(135deg, var(--accent) 50%, transparent 50%);
  border-color: var(--accent);
}
article {
  margin: 0 0 24px;
}
article > time {
  display: block;
  margin-bottom: 4px;
}
.user {
  margin-left: 15%;
  padding: 12px 16px;
  background: var(--sunken);
  border: 1px solid var(--line);
  border-radius: 10px;
}
.user .quiet {
  margin: 4px 0 0;
}
.said {
  white-space: pre-wrap;
}
.prose > :last-child {
  margin-bottom: 0;
}
.prose :is(h1, h2, h3, h4, h5, h6) {
  margin: 20px 0 8px;
  font-size: 16px;
  line-height: 1.4;
}
.prose h1 {
  font-size: 19px;
}
.prose h2 {
  font-size: 17px;
}
.prose :is(ul, ol) {
  margin: 0 0 12px;
  padding-left: 24px;
}
.prose blockquote {
  margin: 0 0 12px;
  padding-left: 14px;
  border-left: 3px solid var(--line);
  color: var(--ink-2);
}
.prose :not(pre) > code {
  padding: 1px 4px;
  background: var(--sunken);
  border: 1px solid var(--line);
  border-radius: 4px;
}
.prose table {
  display: block;
  overflow-x: auto;
}
.prose hr {
  border: 0;
  border-top: 1px solid var(--line);
  margin: 20px 0;
}
.image {
  padding: 1px 6px;
  border: 1px dashed var(--ink-2);
  border-radius: 4px;
}
pre {
  margin: 0 0 12px;
  padding: 10px 14px;
  background: var(--sunken);
  border: 1px solid var(--line);
  border-radius: 6px;
  line-height: 1.5;
  overflow-x: auto;
  tab-size: 4;
}
pre[data-language]::before {
  content: attr(data-language);
  display: block;
  margin-bottom: 4px;
  color: var(--ink-2);
  font: 11px var(--sans);
}
pre.plain,
.tool pre {
  white-space: pre-wrap;
  overflow-wrap: anywhere;
}
summary {
  cursor: pointer;
}
summary:focus-visible,
a:focus-visible {
  outline: 2px solid var(--info);
  outline-offset: 2px;
  border-radius: 4px;
}
.reasoning {
  margin-bottom: 10px;
  color: var(--ink-2);
  font-size: 14px;
}
.reasoning .said {
  margin-top: 6px;
  padding-left: 14px;
  border-left: 2px solid var(--line);
}
`
