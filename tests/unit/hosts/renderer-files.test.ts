import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openRendererFiles, type RendererFiles } from '../../../src/main/hosts/renderer-files'

let base: string
let files: RendererFiles

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'ml-intern-files-'))
  await mkdir(join(base, 'renderer/assets'), { recursive: true })
  await writeFile(join(base, 'secret.txt'), 'secret')
  await writeFile(join(base, 'renderer/index.html'), '<!doctype html>')
  await writeFile(join(base, 'renderer/.env'), 'KEY=1')
  await writeFile(join(base, 'renderer/assets/index-B1x_3-aQ.js'), 'export {}')
  await writeFile(join(base, 'renderer/assets/plain.css'), 'a {}')
  await writeFile(join(base, 'renderer/assets/inter-latin-wght-normal-Dx4kXJAl.woff2'), 'font')
  await writeFile(join(base, 'renderer/data.bin'), 'data')
  await writeFile(join(base, 'renderer/a b.txt'), 'space')
  await symlink(join(base, 'secret.txt'), join(base, 'renderer/link.txt'))
  files = await openRendererFiles(join(base, 'renderer'))
})
afterAll(() => rm(base, { recursive: true, force: true }))

describe('files of the built window', () => {
  it.each([
    ['/', 'text/html; charset=utf-8', 'no-store'],
    ['/index.html', 'text/html; charset=utf-8', 'no-store'],
    ['/assets/index-B1x_3-aQ.js', 'text/javascript; charset=utf-8', 'private, max-age=31536000, immutable'],
    ['/assets/inter-latin-wght-normal-Dx4kXJAl.woff2', 'font/woff2', 'private, max-age=31536000, immutable'],
    ['/assets/plain.css', 'text/css; charset=utf-8', 'private, no-cache'],
    ['/data.bin', 'application/octet-stream', 'private, no-cache'],
    ['/a%20b.txt', 'text/plain; charset=utf-8', 'private, no-cache'],
  ])('%s is sent as %s, %s', async (path, type, cache_control) => {
    expect(await files.read(path)).toMatchObject({ type, cache_control })
  })

  it.each([
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/assets/../../secret.txt',
    '/assets/..%5c..%5csecret.txt',
    '/..\\secret.txt',
    '//secret.txt',
    '/link.txt',
    '/.env',
    '/assets',
    '/assets/',
    '/index.html/',
    '/index.html%00.js',
    '/%E0%A4%A',
    '/C:/windows/win.ini',
    'index.html',
    '',
    '/nothing.js',
    `/${'x'.repeat(5000)}`,
  ])('gives nothing for %j', async (path) => {
    expect(await files.read(path)).toBeNull()
  })

  it('says how to build when there is no build', async () => {
    await expect(openRendererFiles(join(base, 'absent'))).rejects.toMatchObject({
      code: 'resource_missing',
      remedy: expect.stringContaining('npm run build'),
    })
  })
})
