import { Checkpoints } from '../../src/main/workspace/checkpoints'

/** Records a workspace, once for every further argument, and prints a JSON line for each; and when it begins. */
const [dir = '', session = '', workspace = '', ...ids] = process.argv.slice(2)
const said: string[] = []
const checkpoints = new Checkpoints({ dir, session, workspace, env: process.env, notify: (text) => said.push(text) })
process.stdout.write('begin\n')
for (const id of ids) {
  const result = await checkpoints.record(id)
  process.stdout.write(`${JSON.stringify({ id, result, said })}\n`)
}
