import { messageOf, UserError } from '../errors'
import type { HubEndpoint } from './endpoint'

const TOKENS = 'huggingface.co/settings/tokens'

/** What went wrong on the Hub, in words for the user. An error that is not the Hub's is returned as it is. */
export function hubFailure(error: unknown, { url, token }: HubEndpoint, repo: string): unknown {
  if (error instanceof UserError) return error
  if (!(error instanceof Error) || !('statusCode' in error)) {
    if (error instanceof SyntaxError || error instanceof TypeError) {
      const message = `${new URL(url).host} answered with something that is not the Hub's: ${messageOf(error)}`
      return new UserError('hub', message, 'Check HF_ENDPOINT.', { cause: error })
    }
    return error
  }
  const options = { cause: error }
  // The library puts the address and the number of the request behind the server's own words.
  const said = error.message.replace(/\. URL: .*$/s, '').replaceAll(token, '[REDACTED]')
  switch (error.statusCode) {
    case 401:
      return new UserError(
        'no_credentials',
        'Hugging Face does not accept the token in HF_TOKEN: it may have been deleted or has expired.',
        `Make a new one with write permission at ${TOKENS}.`,
        options,
      )
    case 403:
      return new UserError(
        'permission',
        `The token in HF_TOKEN may not write to ${repo}: ${said}`,
        `Give it write permission for datasets at ${TOKENS}, or choose another one in the setting trace_repo.`,
        options,
      )
    case 404:
      return new UserError(
        'config',
        `There is no ${repo} that this token can use: ${said}`,
        'Check the setting trace_repo.',
        options,
      )
    case 429:
      return new UserError(
        'hub',
        'Hugging Face limits requests of this account for some minutes.',
        'Try again in a while.',
        options,
      )
    default:
      return new UserError(
        'hub',
        `Hugging Face refused: ${said} (status ${error.statusCode})`,
        'Try again later.',
        options,
      )
  }
}
