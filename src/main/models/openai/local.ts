import { UserError } from '../../errors'

export const LOCAL_KINDS = ['ollama', 'vllm', 'lm_studio', 'llamacpp', 'openai-compat'] as const
export type LocalKind = (typeof LOCAL_KINDS)[number]

/** A server that speaks chat completions. */
export interface Endpoint {
  kind: 'hf' | LocalKind
  /** For people: "Ollama". */
  name: string
  /** With the version, without a slash at its end: `http://127.0.0.1:11434/v1`. */
  baseURL: string
  /** The variable that changes the address. */
  variable: string
  apiKey: string | null
  /** How the server is started; empty for one that others run. */
  start: string
}

interface LocalServer {
  name: string
  variable: string
  keyVariable: string
  /** Library table, "OpenAI-compatible": the ports that the servers choose themselves. */
  address: string | null
  start: string
}

export const LOCAL_SERVERS: Record<LocalKind, LocalServer> = {
  ollama: {
    name: 'Ollama',
    variable: 'OLLAMA_BASE_URL',
    keyVariable: 'OLLAMA_API_KEY',
    address: 'http://127.0.0.1:11434',
    start: 'Start it with `ollama serve`',
  },
  vllm: {
    name: 'vLLM',
    variable: 'VLLM_BASE_URL',
    keyVariable: 'VLLM_API_KEY',
    address: 'http://127.0.0.1:8000',
    start: 'Start it with `vllm serve <model> --enable-auto-tool-choice --tool-call-parser <parser>`',
  },
  lm_studio: {
    name: 'LM Studio',
    variable: 'LMSTUDIO_BASE_URL',
    keyVariable: 'LMSTUDIO_API_KEY',
    address: 'http://127.0.0.1:1234',
    start: 'Start its server with `lms server start`, or in LM Studio under Developer',
  },
  llamacpp: {
    name: 'llama.cpp',
    variable: 'LLAMACPP_BASE_URL',
    keyVariable: 'LLAMACPP_API_KEY',
    address: 'http://127.0.0.1:8080',
    start: 'Start it with `llama-server --jinja -m <file.gguf>`',
  },
  'openai-compat': {
    name: 'The model server',
    variable: 'LOCAL_LLM_BASE_URL',
    keyVariable: 'LOCAL_LLM_API_KEY',
    address: null,
    start: 'Start the server',
  },
}

export const ROUTER_URL = 'https://router.huggingface.co/v1'
const SHARED_VARIABLE = 'LOCAL_LLM_BASE_URL'
const SHARED_KEY = 'LOCAL_LLM_API_KEY'

/**
 * The server of one kind. Its own address and key win over the shared ones; throws `config` for an address that cannot
 * be used, and for `openai-compat` without one.
 */
export function localEndpoint(kind: LocalKind, env: NodeJS.ProcessEnv): Endpoint {
  const { name, variable, keyVariable, address, start } = LOCAL_SERVERS[kind]
  const named = [variable, SHARED_VARIABLE].find((candidate) => env[candidate]?.trim())
  const url = named ? env[named] : address
  if (!url) {
    throw new UserError(
      'config',
      `${kind}/ models need the address of their server.`,
      `Set ${variable} in the environment, for example to http://127.0.0.1:8000/v1.`,
    )
  }
  // A key goes only to its own server: the shared one belongs to the shared address where there is such an address.
  const shared = named === SHARED_VARIABLE || !env[SHARED_VARIABLE]?.trim() ? env[SHARED_KEY]?.trim() : undefined
  const apiKey = env[keyVariable]?.trim() || shared || null
  // The shared variable is named only when it is the one that counts.
  return { kind, name, baseURL: normalizeAddress(url, named ?? variable), variable: named ?? variable, apiKey, start }
}

/** The servers to look for: those with an address of their own or a usual port, each address once. */
export function localEndpoints(env: NodeJS.ProcessEnv): Endpoint[] {
  const found = new Map<string, Endpoint>()
  for (const kind of LOCAL_KINDS) {
    const { variable, address } = LOCAL_SERVERS[kind]
    if (!env[variable]?.trim() && address === null) continue
    // The shared address belongs to `openai-compat`; found under every name, its models would be listed five times.
    const own = { ...env }
    if (kind !== 'openai-compat') {
      // Whatever listens on a usual port is asked what it is, not handed a key.
      if (env[SHARED_VARIABLE]?.trim() || !env[variable]?.trim()) delete own[SHARED_KEY]
      delete own[SHARED_VARIABLE]
    }
    try {
      const endpoint = localEndpoint(kind, own)
      if (!found.has(endpoint.baseURL)) found.set(endpoint.baseURL, endpoint)
    } catch (error) {
      // A mistyped address is told when a model of that server is chosen; the others are listed meanwhile.
      if (!(error instanceof UserError)) throw error
    }
  }
  return [...found.values()]
}

/** The Hugging Face router. Throws `config` for an address that the token must not go to. */
export function routerEndpoint(env: NodeJS.ProcessEnv, apiKey: string | null): Endpoint {
  const variable = 'HF_ROUTER_URL'
  const baseURL = normalizeAddress(env[variable]?.trim() || ROUTER_URL, variable)
  const { protocol } = new URL(baseURL)
  if (protocol !== 'https:' && !isLoopback(baseURL)) {
    throw new UserError(
      'config',
      `${variable} is not encrypted (${new URL(baseURL).host}), so the Hugging Face token is not sent there.`,
      `Use an address that begins with https://, or take ${variable} away.`,
    )
  }
  return { kind: 'hf', name: 'The Hugging Face router', baseURL, variable, apiKey, start: '' }
}

/** Adds the version where it is missing: people copy the address that the server prints. */
function normalizeAddress(address: string, variable: string): string {
  const given = address.trim()
  const text = /^[a-z][a-z\d+.-]*:\/\//i.test(given) ? given : `http://${given}`
  const url = URL.canParse(text) ? new URL(text) : null
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password) {
    // The value is not repeated: it may hold a password.
    throw new UserError(
      'config',
      `${variable} is not an address that can be used.`,
      `It looks like http://127.0.0.1:8000/v1, without a name or password; a key goes into ${SHARED_KEY}.`,
    )
  }
  const path = url.pathname.replace(/\/+$/, '').replace(/\/chat\/completions$/, '')
  return `${url.origin}${/\/v\d+$/.test(path) ? path : `${path}/v1`}`
}

/** The server's own address, for what it answers outside of `/v1`. */
export function rootOf(baseURL: string): string {
  return baseURL.replace(/\/v\d+$/, '')
}

export function isLoopback(baseURL: string): boolean {
  return /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(baseURL).hostname)
}

/** On this machine or in its own network: nobody bills such a server by the token. */
export function isPrivate(baseURL: string): boolean {
  const { hostname } = new URL(baseURL)
  return (
    isLoopback(baseURL) ||
    /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.)[\d.]+$/.test(hostname) ||
    /^[^.:]+$|\.(local|lan|internal)$/.test(hostname)
  )
}
