import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { desktopObstacle } from '../../../scripts/lib/electron.mjs'
import { desktopArguments } from '../../../src/main/hosts/desktop/arguments'
import { ownOrigin } from '../../../src/main/hosts/desktop/origin'

describe('the origin of the window', () => {
  it.each(['app://ml-intern/', 'app://ml-intern/index.html?x#y'])('%s is ours', (url) => {
    expect(ownOrigin(null).owns(url)).toBe(true)
  })

  it.each([
    '',
    'about:blank',
    'app://ml-intern.evil.example/',
    'app://evil/ml-intern/',
    'app://x@evil/',
    'app:ml-intern',
    'https://ml-intern/',
    'http://localhost:5173/',
    'file:///app://ml-intern/',
    'data:text/html,app://ml-intern/',
  ])('%j is foreign', (url) => {
    expect(ownOrigin(null).owns(url)).toBe(false)
  })

  it('of a development server is that server and its port', () => {
    const origin = ownOrigin('http://localhost:5173')
    expect(origin.owns('http://localhost:5173/src/main.tsx')).toBe(true)
    expect(origin.owns('http://localhost:5174/')).toBe(false)
    expect(origin.owns('app://ml-intern/')).toBe(false)
  })
})

describe('arguments of the desktop app', () => {
  it('takes its own flags, with absolute paths, among those of Chromium', () => {
    const argv = ['--no-sandbox', '--cwd', 'data', '--remote-debugging-port=0', '--config=/etc/x.json', '.']
    expect(desktopArguments([...argv, '--model', 'demo/scripted', '--mode=plan'], '/base')).toEqual({
      cwd: join('/base', 'data'),
      config: '/etc/x.json',
      flags: { model: 'demo/scripted', mode: 'plan' },
    })
  })

  it('leaves out what is not given or has no value', () => {
    expect(desktopArguments(['.', '--cwd'], '/base')).toEqual({ cwd: null, config: null, flags: {} })
  })
})

describe('where a desktop window cannot open', () => {
  it('needs a display and another user than root on Linux only', () => {
    expect(desktopObstacle('linux', {}, 1000)).toContain('display')
    expect(desktopObstacle('linux', { DISPLAY: ':0' }, 0)).toContain('root')
    expect(desktopObstacle('linux', { WAYLAND_DISPLAY: 'wayland-0' }, 1000)).toBeNull()
    expect(desktopObstacle('darwin', {}, 0)).toBeNull()
    expect(desktopObstacle('win32', {}, undefined)).toBeNull()
  })
})
