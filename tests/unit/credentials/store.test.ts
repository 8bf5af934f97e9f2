import { describe, expect, test } from 'vitest'
import { explainFault, KEYCHAIN_SERVICE, type KeychainModule } from '../../../src/main/credentials/keychain'
import { createCredentialStore } from '../../../src/main/credentials/store'

const KEY = 'sk-ant-test-0123456789abcd'
const OTHER = 'sk-ant-test-9876543210wxyz'

/** A keychain in memory. `calls` counts; `fail` is thrown by every call; `locked` answers as a locked keyring does. */
class FakeKeychain implements KeychainModule {
  readonly entries = new Map<string, string>()
  calls = 0
  fail: Error | null = null
  locked = false

  async getPassword(service: string, account: string): Promise<string | null> {
    this.called(service)
    return this.locked ? null : (this.entries.get(account) ?? null)
  }
  async setPassword(service: string, account: string, password: string): Promise<void> {
    this.called(service)
    if (this.locked) throw new Error('Cannot create an item in a locked collection')
    this.entries.set(account, password)
  }
  async deletePassword(service: string, account: string): Promise<boolean> {
    this.called(service)
    return this.entries.delete(account)
  }
  private called(service: string): void {
    expect(service).toBe(KEYCHAIN_SERVICE)
    this.calls++
    if (this.fail) throw this.fail
  }
}

function storeWith(keychain: FakeKeychain, env: NodeJS.ProcessEnv = {}, timeout_ms = 1_000) {
  return createCredentialStore({ env, load: async () => keychain, timeout_ms })
}

describe('order of the places', () => {
  test('the environment comes first, and the keychain is then never loaded', async () => {
    let loaded = false
    const store = createCredentialStore({
      env: { ANTHROPIC_API_KEY: `  ${KEY}\n` },
      load: async () => {
        loaded = true
        return new FakeKeychain()
      },
    })
    expect(await store.get('anthropic')).toBe(KEY)
    expect(await store.status('anthropic')).toEqual({
      provider: 'anthropic',
      present: true,
      source: 'environment',
      hint: 'abcd',
      note: '',
    })
    expect(loaded).toBe(false)
  })

  test('then the keychain, asked once and not before every call', async () => {
    const keychain = new FakeKeychain()
    keychain.entries.set('anthropic', KEY)
    const store = storeWith(keychain)
    for (let i = 0; i < 3; i++) expect(await store.get('anthropic')).toBe(KEY)
    expect(await store.status('anthropic')).toMatchObject({ present: true, source: 'keychain', hint: 'abcd' })
    expect(keychain.calls).toBe(1)
  })

  test('nothing anywhere is null, not an error', async () => {
    const store = storeWith(new FakeKeychain())
    expect(await store.get('anthropic')).toBeNull()
    expect(await store.status('anthropic')).toMatchObject({ present: false, source: null, hint: '', note: '' })
  })

  test('an empty variable does not hide the keychain', async () => {
    const keychain = new FakeKeychain()
    keychain.entries.set('anthropic', KEY)
    expect(await storeWith(keychain, { ANTHROPIC_API_KEY: ' ' }).get('anthropic')).toBe(KEY)
  })
})

describe('storing', () => {
  test('goes into the keychain, without the white space of a paste', async () => {
    const keychain = new FakeKeychain()
    const store = storeWith(keychain)
    expect(await store.set('anthropic', ` ${KEY}\n`)).toMatchObject({ source: 'keychain', hint: 'abcd', note: '' })
    expect(keychain.entries.get('anthropic')).toBe(KEY)
    expect(await store.get('anthropic')).toBe(KEY)
  })

  test('a locked keyring, which answers reads with null, is noticed: memory, and the status says why', async () => {
    const keychain = new FakeKeychain()
    keychain.locked = true
    const store = storeWith(keychain)
    const status = await store.set('anthropic', KEY)
    expect(status).toMatchObject({ present: true, source: 'memory', hint: 'abcd' })
    expect(status.note).toContain('locked')
    expect(await store.get('anthropic')).toBe(KEY)
  })

  test('a keychain that takes a value and does not give it back is not trusted', async () => {
    const keychain = new FakeKeychain()
    keychain.setPassword = async () => undefined
    const status = await storeWith(keychain).set('anthropic', KEY)
    expect(status).toMatchObject({ present: true, source: 'memory' })
  })

  test('a keychain that cannot be loaded leaves memory', async () => {
    const store = createCredentialStore({
      env: {},
      load: async () => {
        throw new Error('Failed to load keytar native addon, checked ["a"]')
      },
    })
    expect((await store.status('anthropic')).note).toContain('cannot be loaded')
    expect(await store.set('anthropic', KEY)).toMatchObject({ source: 'memory' })
    expect(await store.get('anthropic')).toBe(KEY)
  })

  test('one that never answers is given up in time', async () => {
    const keychain = new FakeKeychain()
    keychain.getPassword = () => new Promise(() => undefined)
    const status = await storeWith(keychain, {}, 20).status('anthropic')
    expect(status).toMatchObject({ present: false })
    expect(status.note).toContain('did not answer')
  })

  test('an unlock dialog that is answered late does not leave the key unknown', async () => {
    const keychain = new FakeKeychain()
    keychain.entries.set('anthropic', KEY)
    const answers = keychain.getPassword.bind(keychain)
    keychain.getPassword = () => new Promise(() => undefined)
    const store = storeWith(keychain, {}, 20)
    expect(await store.get('anthropic')).toBeNull()
    keychain.getPassword = answers
    expect(await store.get('anthropic')).toBe(KEY)
  })

  test('with a key in the environment it says which one is used', async () => {
    const keychain = new FakeKeychain()
    const status = await storeWith(keychain, { ANTHROPIC_API_KEY: OTHER }).set('anthropic', KEY)
    expect(status).toMatchObject({ source: 'environment', hint: 'wxyz' })
    expect(status.note).toContain('ANTHROPIC_API_KEY')
    expect(keychain.entries.get('anthropic')).toBe(KEY)
  })
})

describe('removing', () => {
  test('takes the key out of the keychain and out of memory', async () => {
    const keychain = new FakeKeychain()
    const store = storeWith(keychain)
    await store.set('anthropic', KEY)
    expect(await store.remove('anthropic')).toMatchObject({ present: false, source: null })
    expect(keychain.entries.size).toBe(0)
    keychain.locked = true
    await store.set('anthropic', KEY)
    expect(await store.remove('anthropic')).toMatchObject({ present: false })
  })

  test('a key that would not go is still shown', async () => {
    const keychain = new FakeKeychain()
    const store = storeWith(keychain)
    await store.set('anthropic', KEY)
    keychain.deletePassword = async () => false
    expect(await store.remove('anthropic')).toMatchObject({ present: true, source: 'keychain' })
  })

  test('a key of the environment stays, and the status says how to remove it', async () => {
    const status = await storeWith(new FakeKeychain(), { ANTHROPIC_API_KEY: KEY }).remove('anthropic')
    expect(status).toMatchObject({ present: true, source: 'environment' })
    expect(status.note).toContain('unset ANTHROPIC_API_KEY')
  })
})

describe('secrets', () => {
  test('every value ever seen is known for redaction, old ones too', async () => {
    const keychain = new FakeKeychain()
    keychain.entries.set('anthropic', KEY)
    const store = storeWith(keychain)
    expect(store.known_secrets()).toEqual([])
    await store.get('anthropic')
    await store.set('anthropic', OTHER)
    await store.remove('anthropic')
    expect(store.known_secrets().sort()).toEqual([KEY, OTHER].sort())
    expect(storeWith(keychain, { ANTHROPIC_API_KEY: KEY }).known_secrets()).toEqual([KEY])
  })

  test('a status shows four characters at most, and none of a short key', async () => {
    const store = storeWith(new FakeKeychain(), { ANTHROPIC_API_KEY: 'short-key' })
    expect((await store.status('anthropic')).hint).toBe('')
  })

  test('a fault of the keychain does not carry the key', async () => {
    const keychain = new FakeKeychain()
    keychain.fail = new Error('no space left')
    const status = await storeWith(keychain).set('anthropic', KEY)
    expect(JSON.stringify(status)).not.toContain(KEY.slice(0, -4))
  })
})

describe('failures of the Secret Service by their own texts', () => {
  test.each([
    ['Cannot autolaunch D-Bus without X11 $DISPLAY', 'no_bus'],
    ['Could not connect: No such file or directory', 'no_bus'],
    ['The name org.freedesktop.secrets was not provided by any .service files', 'no_service'],
    ['Cannot create an item in a locked collection', 'locked'],
    ['Failed to load keytar native addon, checked ["/a"]', 'no_library'],
    ['libsecret-1.so.0: cannot open shared object file: No such file or directory', 'no_library'],
    ["Cannot find package 'keytar' imported from /x", 'no_library'],
    ['something new', 'other'],
  ])('%s', (text, kind) => {
    const fault = explainFault(new Error(text))
    expect(fault.kind).toBe(kind)
    expect(fault.remedy).not.toBe('')
  })
})
