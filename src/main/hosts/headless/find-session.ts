import { isSessionId } from '@shared/ids'
import type { Engine } from '../../engine-types'
import { UserError } from '../../errors'

const SEE_LIST = 'ml-intern sessions list shows all of them.'

/** The whole id for an id or the beginning of one. Throws UserError when none or several begin so. */
export async function findSession(engine: Engine, given: string): Promise<string> {
  const prefix = given.toLowerCase()
  if (isSessionId(prefix)) return prefix
  if (!/^[0-9a-f-]{1,35}$/.test(prefix)) {
    throw new UserError('session_not_found', `"${given}" is no session id.`, SEE_LIST)
  }
  const found = (await engine.listSessions()).filter(({ id }) => id.startsWith(prefix))
  const [only, second] = found
  if (!only) throw new UserError('session_not_found', `There is no session ${given}.`, SEE_LIST)
  if (second) {
    const some = found.slice(0, 4).map(({ id, title }) => `${id.slice(0, 13)} (${title})`)
    throw new UserError(
      'usage',
      `${found.length} sessions begin with ${given}: ${some.join(', ')}.`,
      'Give more of the id.',
    )
  }
  return only.id
}
