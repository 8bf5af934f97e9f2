import type { BubblewrapFacts, SandboxedCommand } from './types'

/** Where the forwarder listens inside: its own loopback, so it meets nobody else's. */
export const FORWARD_PORT = 3128
/** Where the proxy's socket is seen inside. */
export const SOCKET_PATH = '/run/ml-intern/proxy.sock'

const SIGNALS = 'HUP,INT,QUIT,TERM'
const PROXY_URL = `http://127.0.0.1:${FORWARD_PORT}`
const LOCAL = 'localhost,127.0.0.1,::1'

/** For programs that know proxies. Empty when the network is off: then none may be inherited. */
export function proxyVariables(online: boolean): Record<string, string> {
  const url = online ? PROXY_URL : ''
  const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'all_proxy']
  return {
    ...Object.fromEntries(names.map((name) => [name, url])),
    ...{ NO_PROXY: online ? LOCAL : '', no_proxy: online ? LOCAL : '' },
    ...(online ? { NODE_USE_ENV_PROXY: '1', CONDA_REMOTE_READ_TIMEOUT_SECS: '120' } : {}),
  }
}

/**
 * Outside: bubblewrap must not die of the signals meant for the command, which would take the command along without a
 * word; no memory images; and the filter comes through a file that is read-only here. $1 is the filter or empty.
 */
export function outerScript(facts: BubblewrapFacts, keep: boolean): string {
  // What this app itself was started with: Node closes its own files for a child, and not those.
  const close = facts.shell.endsWith('bash')
    ? 'cd /proc/$$/fd && for f in *; do if [ "$f" -gt 2 ]; then eval "exec $f>&-"; fi; done; cd /; '
    : 'exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-; '
  const ignore = facts.env_signals ? "trap '' HUP INT QUIT TERM; " : ''
  const filter = 'f=$1; shift; if [ -n "$f" ]; then exec 9<"$f"; fi; '
  const setup = `${ignore}${close}ulimit -c 0; ${filter}`
  if (!keep) return `${setup}exec "$@"`
  // The first process inside lives as long as any other, and would hold the output of the command open: it gets none,
  // and closes what is beyond the third. What bubblewrap itself has to say comes by a file.
  return `${setup}e=$1; shift; "$@" 7>&1 8>&2 >/dev/null 2>"$e"; c=$?; if [ -s "$e" ]; then cat "$e" >&2; fi; rm -f "$e"; exit $c`
}

/** What bubblewrap starts: the way to the network, then the command with its signals as they should be. */
export function innerCommand(
  { run, background }: Pick<SandboxedCommand, 'run' | 'background'>,
  facts: BubblewrapFacts,
  online: boolean,
): string[] {
  const program = 'shell' in run ? ['bash', '-c', run.shell] : [...run.argv]
  const command = facts.env_signals ? ['env', `--default-signal=${SIGNALS}`, '--', ...program] : program
  const keep = background === 'keep'
  const forward = online && facts.forwarder ? forwardScript(facts.forwarder, keep) : 'exec "$@"'
  if (!keep && !online) return command
  return ['/bin/sh', '-c', keep ? `exec 1>&7 2>&8 7>&- 8>&-\n${forward}` : forward, 'sandbox', ...command]
}

/**
 * Starts the forwarder and goes on when it listens: a line of the kernel's table says so, without a connection being
 * made. Bounded, should it fail. It is nobody's child: a command that waits for all of its children would wait for ever.
 * Where processes may outlive the command, it ends when it is alone with bubblewrap and the shell that looks (3).
 */
function forwardScript(forwarder: 'socat' | 'python3', keep: boolean): string {
  const start = `${forwarder === 'socat' ? SOCAT : `python3 -ISc '${PYTHON}'`} </dev/null >/dev/null 2>&1`
  const port = FORWARD_PORT.toString(16).toUpperCase().padStart(4, '0')
  const ready = [
    `r() { while read -r _ a _ s _; do [ "$a$s" = "0100007F:${port}0A" ] && return 0; done </proc/net/tcp; return 1; }`,
    'i=0; while [ $i -lt 20000 ]; do r && break; i=$((i+1)); done',
  ]
  if (!keep) return [`( ${start} & )`, ...ready, 'exec "$@"'].join('\n')
  const watch =
    '( while sleep 5; do set -- /proc/[0-9]*; [ $# -gt 3 ] || break; done; kill -9 $p ) </dev/null >/dev/null 2>&1 &'
  const end = `set -- /proc/[0-9]*; if [ $# -gt 3 ]; then ${watch} else kill -9 $p; fi; exit $c`
  return [`${start} &`, 'p=$!', ...ready, '"$@"; c=$?', end].join('\n')
}

const SOCAT = `socat TCP-LISTEN:${FORWARD_PORT},bind=127.0.0.1,fork,reuseaddr,backlog=128 UNIX-CONNECT:${SOCKET_PATH}`

/** Without apostrophes: it stands between them. */
const PYTHON = `
import socket,threading
def pump(a,b):
    try:
        while True:
            d=a.recv(65536)
            if not d: break
            b.sendall(d)
    except OSError: pass
    try: b.shutdown(socket.SHUT_WR)
    except OSError: pass
def serve(c):
    with c, socket.socket(socket.AF_UNIX) as u:
        u.connect("${SOCKET_PATH}")
        t=threading.Thread(target=pump,args=(u,c),daemon=True);t.start();pump(c,u);t.join()
s=socket.socket();s.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1);s.bind(("127.0.0.1",${FORWARD_PORT}));s.listen(128)
while True: threading.Thread(target=serve,args=(s.accept()[0],),daemon=True).start()
`
