/** Folders that hold keys and tokens, and files that do. Lower case, `/` between the parts. */
const SECRET_PATHS = [
  /(^|\/)\.(ssh|gnupg|aws|azure|password-store|terraform\.d)(\/|$)/,
  /(^|\/)\.config\/(gcloud|gh|hub|rclone|op)(\/|$)/,
  /(^|\/)\.(kube|docker)\/config(\.json)?$/,
  /(^|\/)(\.huggingface|huggingface)\/(token|stored_tokens)$/,
  /(^|\/)\.kaggle\/kaggle\.json$/,
  /(^|\/)[._](netrc|pypirc|npmrc|git-credentials|pgpass|my\.cnf|boto|s3cfg|vault-token|databrickscfg|modal\.toml)$/,
  /(^|\/)\.(ba|z|k|fi)?sh_history$|(^|\/)\.(python|psql|node_repl)_history$/,
  /(^|\/)\.env(\.[^/]*)?$/,
  /(^|\/)id_(rsa|dsa|ecdsa|ed25519)(_[^/.]*)?$/,
  /\.(p12|pfx|kdbx|keystore|jks|keychain|keychain-db)$/,
  /(^|\/)library\/keychains(\/|$)|(^|\/)\.local\/share\/keyrings(\/|$)/,
  /^\/etc\/(shadow|gshadow|sudoers)/,
  /^\/proc\/[^/]+\/(environ|mem)$|^\/proc\/[^/]+\/task\/[^/]+\/environ$/,
  /(^|\/)(cookies(\.sqlite|\.binarycookies)?|login data|logins\.json|key4\.db)$/,
]
/** Named like one of them, and meant to be read. */
const PUBLIC = /\.pub$|(^|\/)known_hosts$|(^|\/)\.env\.(example|sample|template|dist|defaults?)$/
/** A variable whose value is a secret, by its name. Counts of tokens are none. */
const SECRET_NAME = /(^|_)(TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|API_?KEY|ACCESS_?KEY|PRIVATE_KEY)(_|$)/i
const NO_SECRET_NAME = /^(MAX|MIN|NUM|PAD|EOS|BOS|UNK|MASK|SEP|CLS)_|_(LIMIT|COUNT|ID|IDS|PATH|TYPE)$/i

/** Whether a file holds a key, a token or a password, by its path: absolute, relative or from `~`. */
export function isSecretPath(path: string): boolean {
  // Two systems of three do not tell capital from small letters in paths.
  const plain = path
    .toLowerCase()
    .replaceAll('\\', '/')
    .replace(/\/{2,}/g, '/')
    .replace(/\/(\.\/)+/g, '/')
  return SECRET_PATHS.some((secret) => secret.test(plain)) && !PUBLIC.test(plain)
}

/** Whether a variable of this name holds a secret. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name) && !NO_SECRET_NAME.test(name)
}
