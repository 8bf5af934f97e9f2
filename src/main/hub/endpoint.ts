import { UserError } from '../errors'

const HUB = 'https://huggingface.co'
const TOKENS_PAGE = 'huggingface.co/settings/tokens'

/** A Hub and the token for it, which goes nowhere else. */
export interface HubEndpoint {
  /** Without a slash at its end. */
  url: string
  token: string
}

/**
 * The Hub of the environment: HF_TOKEN, and HF_ENDPOINT for another one than huggingface.co. Throws `no_credentials`, and
 * `config` for an address that a token must not go to.
 */
export function hubEndpoint(env: NodeJS.ProcessEnv): HubEndpoint {
  const url = hubUrl(env)
  const token = env.HF_TOKEN?.trim() ?? ''
  if (token === '') {
    throw new UserError(
      'no_credentials',
      'There is no Hugging Face token.',
      `Set HF_TOKEN in the environment. Tokens are made at ${TOKENS_PAGE}; this one needs write permission.`,
    )
  }
  if (!/^hf_[\x21-\x7e]+$/.test(token)) {
    throw new UserError(
      'no_credentials',
      'HF_TOKEN holds something that is no Hugging Face token.',
      `A token begins with "hf_". Make one at ${TOKENS_PAGE}.`,
    )
  }
  return { url, token }
}

function hubUrl(env: NodeJS.ProcessEnv): string {
  const given = env.HF_ENDPOINT?.trim() || HUB
  const url = URL.canParse(given) ? new URL(given) : null
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password || url.search || url.hash) {
    // The value is not repeated: it may hold a password.
    throw new UserError(
      'config',
      'HF_ENDPOINT is not an address that can be used.',
      'It looks like https://huggingface.co, without a name or password.',
    )
  }
  if (url.protocol !== 'https:' && !/^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(url.hostname)) {
    throw new UserError(
      'config',
      `HF_ENDPOINT is not encrypted (${url.host}), so the Hugging Face token is not sent there.`,
      'Use an address that begins with https://, or take HF_ENDPOINT away.',
    )
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`
}
