import { isAbsolute, join } from 'node:path'

/** Below a home folder: what holds credentials, on Linux and macOS. Files and folders alike. */
const IN_HOME = [
  ...['.ssh', '.aws', '.azure', '.kube', '.gnupg', '.password-store', '.oci', '.config/gcloud', '.config/gh'],
  ...['.config/glab-cli', '.config/hub', '.config/huggingface', '.config/rclone', '.config/op', '.config/sops'],
  ...[
    '.docker/config.json',
    '.netrc',
    '.git-credentials',
    '.config/git/credentials',
    '.pypirc',
    '.npmrc',
    '.yarnrc.yml',
  ],
  ...['.kaggle', '.config/kaggle', '.config/wandb', '.comet.config', '.modal.toml', '.runpod', '.config/containers'],
  ...['.cache/huggingface/token', '.cache/huggingface/stored_tokens', '.huggingface', '.cargo/credentials.toml'],
  ...['.terraform.d/credentials.tfrc.json', '.pgpass', '.my.cnf', '.boto', '.s3cfg', '.vault-token', '.databrickscfg'],
  // Key rings and password managers.
  ...['.local/share/keyrings', '.local/share/kwalletd', '.kde/share/apps/kwallet', '.pki', 'Library/Keychains'],
  // Browsers: cookies are credentials.
  ...['.mozilla', '.config/google-chrome', '.config/chromium', '.config/BraveSoftware', '.config/microsoft-edge'],
  ...['.config/vivaldi', '.config/opera', '.cache/mozilla', '.cache/google-chrome', '.cache/chromium', '.thunderbird'],
  ...['snap/firefox', 'snap/chromium', '.var/app', 'Library/Application Support/Google/Chrome', 'Library/Cookies'],
  ...['Library/Application Support/Firefox', 'Library/Application Support/BraveSoftware', 'Library/Safari'],
  // What was typed into shells and consoles.
  ...['.bash_history', '.zsh_history', '.sh_history', '.history', '.local/share/fish/fish_history', '.python_history'],
  ...['.node_repl_history', '.psql_history', '.mysql_history', '.sqlite_history', '.lesshst', '.viminfo'],
  // Sessions of other agents, with their keys.
  ...['.claude/.credentials.json', '.codex/auth.json', '.gemini/oauth_creds.json'],
]

/** Of the system: root can read them, and a container may run everything as root. */
const IN_SYSTEM = [
  ...['/etc/shadow', '/etc/shadow-', '/etc/gshadow', '/etc/gshadow-', '/etc/sudoers', '/etc/sudoers.d'],
  ...['/etc/ssl/private', '/etc/krb5.keytab', '/etc/wireguard', '/etc/NetworkManager/system-connections'],
  ...['/etc/kubernetes', '/etc/docker/key.json', '/var/lib/docker', '/var/spool/cron', '/etc/security/opasswd'],
]

/** Sockets that give power over the machine where they are not below /run or /tmp. */
const SOCKETS_IN_HOME = ['.docker/run', '.docker/desktop', '.colima', '.local/share/containers/podman/machine', '.rd']

/** Paths that no command may read, whether they exist or not. */
export function secretPaths(homes: readonly string[], data_folder: string, env: NodeJS.ProcessEnv): string[] {
  const below = homes.flatMap((home) => [...IN_HOME, ...SOCKETS_IN_HOME].map((path) => join(home, path)))
  const hub = [env.HF_HOME && join(env.HF_HOME, 'token'), env.HF_HOME && join(env.HF_HOME, 'stored_tokens')]
  const named = [
    ...[...hub, env.HF_TOKEN_PATH, env.NETRC, env.KUBECONFIG, env.GNUPGHOME, env.HISTFILE, env.XAUTHORITY],
    ...[env.AWS_SHARED_CREDENTIALS_FILE, env.AWS_CONFIG_FILE, env.GOOGLE_APPLICATION_CREDENTIALS, env.PGPASSFILE],
    ...[env.DOCKER_CONFIG && join(env.DOCKER_CONFIG, 'config.json'), env.NPM_CONFIG_USERCONFIG, env.CLOUDSDK_CONFIG],
    ...[env.SSH_AUTH_SOCK, env.KAGGLE_CONFIG_DIR, env.PASSWORD_STORE_DIR],
  ]
  const given = named.filter((path): path is string => typeof path === 'string' && isAbsolute(path))
  return [...new Set([...below, ...IN_SYSTEM, ...given, data_folder])]
}

/** Names in a workspace whose content runs outside of the sandbox when the user next opens it with something. */
export const PLANTABLE_FOLDERS = ['.ml-intern', '.vscode', '.idea'] as const
export const PLANTABLE_FILES = ['.envrc', '.mcp.json'] as const

/** The same in a workspace that is, or holds, the home folder. */
export const PLANTABLE_IN_HOME = [
  ...[
    '.bashrc',
    '.bash_profile',
    '.bash_login',
    '.bash_logout',
    '.bash_aliases',
    '.profile',
    '.inputrc',
    '.pam_environment',
  ],
  ...['.zshrc', '.zprofile', '.zshenv', '.zlogin', '.zlogout', '.kshrc', '.cshrc', '.tcshrc', '.login', '.xprofile'],
  ...['.xsession', '.xinitrc', '.gitconfig', '.tmux.conf', '.vimrc', '.gdbinit', '.pythonrc', '.condarc'],
  ...['.config/git', '.config/fish', '.config/autostart', '.config/systemd', '.config/environment.d', '.config/nvim'],
  ...['.config/pip', '.local/bin', 'bin', '.local/share/applications', '.local/share/systemd', '.vim', '.pip'],
  ...['.ipython', '.jupyter', '.cargo/bin', '.pyenv/shims', '.pyenv/bin', '.oh-my-zsh', 'Library/LaunchAgents'],
] as const

/** Inside `.git`: settings and programs that git runs. `commondir` says where both are looked for instead. */
export const GIT_PROTECTED = ['config', 'config.worktree', 'hooks', 'commondir', 'modules'] as const
/** Of these the ones that git reads as files. */
export const GIT_FILES: readonly string[] = ['config', 'config.worktree', 'commondir']

/** `.env`, `.env.local`, `prod.env`, … but not the examples that belong into a repository. */
export function isEnvFile(name: string): boolean {
  if (/\.(example|sample|template|dist|defaults|schema)$/i.test(name)) return false
  return /^\.env(\.|$)/i.test(name) || /\.env$/i.test(name)
}

/** Variables that lead to something outside, or to nothing any more. */
export const UNREACHABLE_VARIABLES = [
  ...['SSH_AUTH_SOCK', 'SSH_AGENT_PID', 'GPG_AGENT_INFO', 'DBUS_SESSION_BUS_ADDRESS', 'DBUS_SYSTEM_BUS_ADDRESS'],
  ...['XDG_RUNTIME_DIR', 'DISPLAY', 'WAYLAND_DISPLAY', 'XAUTHORITY', 'DOCKER_HOST', 'CONTAINER_HOST', 'PODMAN_HOST'],
  ...['TMUX', 'STY', 'PULSE_SERVER', 'SESSION_MANAGER', 'GNOME_KEYRING_CONTROL', 'VSCODE_IPC_HOOK_CLI'],
] as const

/** Variables that act on every program that starts: set inside, and not for the programs that build the sandbox. */
export function actsOutside(name: string): boolean {
  return /^(LD_|GLIBC_TUNABLES$|GCONV_PATH$|BASH_ENV$|ENV$|SHELLOPTS$|BASHOPTS$|BASH_FUNC_|IFS$|PS4$)/.test(name)
}
