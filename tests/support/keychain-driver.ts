import { createCredentialStore } from '../../src/main/credentials/store'

/** Runs the named steps on the real credential store and prints one line of JSON for each. */
const store = createCredentialStore({ env: {} })
for (const step of process.argv.slice(2)) {
  const [name, secret = ''] = step.split('=', 2)
  console.log(JSON.stringify(await run(name ?? '', secret)))
}
// A keychain that never answers keeps a thread of its own.
process.exit(0)

async function run(name: string, secret: string): Promise<unknown> {
  switch (name) {
    case 'get':
      return store.get('anthropic')
    case 'status':
      return store.status('anthropic')
    case 'set':
      return store.set('anthropic', secret)
    case 'remove':
      return store.remove('anthropic')
    default:
      throw new Error(`Unknown step ${name}`)
  }
}
