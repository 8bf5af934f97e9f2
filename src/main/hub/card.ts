/** README.md of a dataset of traces. The names in its head are what the Hub's trace viewer looks for. */
export const TRACE_CARD = `---
pretty_name: ML Intern sessions
language:
  - en
license: other
task_categories:
  - text-generation
tags:
  - agent-traces
  - coding-agent
  - ml-intern
  - session-traces
  - claude-code
  - hf-agent-trace-viewer
configs:
  - config_name: default
    data_files:
      - split: train
        path: sessions/**/*.jsonl
---

# ML Intern sessions

Conversations with ML Intern that their user chose to upload: one file a session, one message a line, in the row format
of Claude Code traces. Each line has \`type\`, \`message\`, \`uuid\`, \`parentUuid\`, \`sessionId\` and \`timestamp\`.

**Keep this dataset private.** Before the upload, known keys and texts in the form of a key or password were replaced.
That finds many secrets and cannot find all: messages, file contents, paths, names and command output are here as they
were. Read every file before you share it with anybody.
`
