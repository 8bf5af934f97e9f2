export const HELP = `ML Intern: an autonomous ML engineer that inspects data, plans, trains and reports.

Usage
  ml-intern                         the window, in the default browser (--no-open: only print its address)
  ml-intern "prompt"                run one task to its end; "-" or a pipe: read the prompt from stdin
  ml-intern chat                    the same conversation in a terminal; /help inside shows commands and keys
  ml-intern demo                    the bundled demo with its scripted demo model: no key, no network
  ml-intern serve                   serve the window; prints one line with its address
  ml-intern sessions list           all sessions, newest first (--json)
  ml-intern sessions show ID        one session as text
  ml-intern sessions search QUERY   full text of all sessions; "in quotes": exactly so (--limit N, --json)
  ml-intern sessions export ID      --format markdown|html|json|jsonl|trace, -o FILE (--force)
  ml-intern sessions fork ID        a new session that begins with this one (--at N: up to that event)
  ml-intern sessions upload ID      a redacted trace into your own private dataset (--yes: without asking)
  ml-intern sessions import PATH    sessions of huggingface/ml-intern, Claude-Code traces: a file or folder
  ml-intern sessions rm ID...       delete sessions (--yes: without asking)
  ml-intern config import FILE      take over settings of huggingface/ml-intern
  ml-intern doctor                  check this machine (--json)

Options of a task (chat: without --approve, --output-format and --no-stream)
  -m, --model ID                    for example anthropic/claude-opus-5-5
      --effort LEVEL                low, medium, high, xhigh, max or off
      --max-iterations N            most model calls in the turn; -1: no limit
      --max-cost USD                cap for what the session's model calls cost in all; off: no cap
      --mode MODE                   plan (read only), ask, auto or full
      --approve POLICY              auto: run without asking (default); ask: ask on the terminal;
                                    deny: end at the first call that needs an approval
      --output-format FORMAT        text, json (one object at the end) or stream-json (one event a line)
      --no-stream                   do not stream the model's replies
      --session ID                  go on with this session (the first characters of its id are enough)
  -c, --continue                    go on with the newest session of this folder

Options of every command
      --cwd DIR                     work in this folder (not with demo)
      --config FILE                 use this configuration file instead of the user's
  -h, --help    -v, --version

Options of chat
      --no-color                    no colours; so does NO_COLOR

Options of serve
      --port N                      0: any free port (default)
      --host H                      default 127.0.0.1

Exit codes
  0 finished   1 failed   2 usage or configuration   3 iteration limit   4 budget reached
  5 an approval that nobody could give   130 interrupted

Environment: ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL, HF_TOKEN, HF_ENDPOINT, ML_INTERN_HOME,
ML_INTERN_LOG=debug, NO_COLOR
`
