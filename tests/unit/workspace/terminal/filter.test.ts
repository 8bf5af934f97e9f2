import { describe, expect, it } from 'vitest'
import { safeInput, TerminalFilter } from '../../../../src/main/workspace/terminal/filter'

const E = '\u001b'
const attacks: [name: string, sequence: string][] = [
  ['clipboard', `${E}]52;c;ZXZpbA==\u0007`],
  ['clipboard, 8 bit', '\u009d52;c;ZXZpbA==\u009c'],
  ['title', `${E}]0;evil\u0007`],
  ['title, ST', `${E}]2;evil${E}\\`],
  ['colour change', `${E}]10;#000000\u0007${E}]11;?\u0007`],
  ['working folder and notification', `${E}]7;file:///etc\u0007${E}]9;hi\u0007${E}]777;notify;a;b\u0007`],
  ['shell integration', `${E}]133;A\u0007${E}]633;E;rm\u0007${E}]1337;File=name=a:AAAA\u0007`],
  ['request of settings', `${E}P$q"p${E}\\`],
  ['termcap request', `${E}P+q544e${E}\\`],
  ['sixel', `${E}Pq#0;2;0;0;0~~${E}\\`],
  ['application command', `${E}_Gf=24;AAAA${E}\\`],
  ['privacy message', `${E}^evil${E}\\`],
  ['start of string', `${E}Xevil${E}\\`],
  ['device control, 8 bit', '\u0090+q544e\u009c'],
  ['answerback', '\u0005'],
  ['window title report', `${E}[21t`],
  ['window resize and move', `${E}[8;100;500t${E}[3;0;0t`],
  ['terminal parameters', `${E}[x`],
  ['mode request', `${E}[?2004$p`],
  ['version request', `${E}[>q`],
  ['mouse tracking', `${E}[?1000h${E}[?1003h${E}[?1006h`],
  ['focus reports', `${E}[?1004h`],
  ['132 columns', `${E}[?3h`],
  ['keyboard lock', `${E}[2h`],
  ['key remapping', `${E}[>4;2m`],
  ['link to a file', `${E}]8;;file:///etc/passwd${E}\\`],
  ['link to a script', `${E}]8;;javascript:alert(1)${E}\\`],
  ['alignment screen', `${E}#8`],
  ['shift out', '\u000e'],
  ['media copy', `${E}[5i${E}[?4i`],
  ['locking shift', `${E}n${E}o`],
]

describe('TerminalFilter', () => {
  it.each(attacks)('drops %s, whole and cut anywhere', (_, sequence) => {
    const whole = new TerminalFilter().push(`a${sequence}b`)
    expect(whole).toEqual({ text: 'ab', screen: 'ab' })
    for (let cut = 1; cut < sequence.length; cut += 1) {
      const filter = new TerminalFilter()
      const text = filter.push(`a${sequence.slice(0, cut)}`).text + filter.push(`${sequence.slice(cut)}b`).text
      expect(text).toBe('ab')
    }
    const filter = new TerminalFilter()
    expect([...`a${sequence}b`].map((c) => filter.push(c).text).join('')).toBe('ab')
  })

  const drawing = [
    `${E}[1;38;5;208mx${E}[0m`,
    `${E}[38;2;1;2;3mx`,
    `${E}[4:3mx`,
    `${E}[2J${E}[H${E}[10;20H${E}[K${E}[3A`,
    `${E}[?25l${E}[?1049h${E}[?2004h`,
    `${E}7${E}8${E}M${E}(0lqk${E}(B`,
    `${E}[2;20r${E}[5L${E}[2 q${E}[!p`,
    `${E}]8;;https://huggingface.co/models${E}\\link${E}]8;;${E}\\`,
    'tab\tback\b bell\u0007 cr\r\n 日本語 👩‍🔬',
  ]
  it.each(drawing)('keeps what draws: %j', (text) => {
    expect(new TerminalFilter().push(text).text).toBe(text)
    const filter = new TerminalFilter()
    expect([...text].map((c) => filter.push(c).text).join('')).toBe(text)
  })

  it('keeps the allowed modes of a sequence that has others too', () => {
    expect(new TerminalFilter().push(`${E}[?1000;25;1006h`).text).toBe(`${E}[?25h`)
  })

  it('bounds counts: an emulator would repeat two milliards of times', () => {
    expect(new TerminalFilter().push(`x${E}[2147483647b${E}[99999L`).text).toBe(`x${E}[1000b${E}[1000L`)
  })

  it('asks our own emulator, never a window, and not without end', () => {
    const question = `${E}[6n`
    expect(new TerminalFilter().push(`a${question}b${E}[c`)).toEqual({ text: 'ab', screen: `a${question}b${E}[c` })
    expect(new TerminalFilter().push(question.repeat(1000)).screen).toBe(question.repeat(8))
  })

  it('is not swallowed by a string without end', () => {
    const filter = new TerminalFilter()
    expect(filter.push(`${E}]0;never ends\nnext line`).text).toBe('\nnext line')
    expect(filter.push(`${E}P${'x'.repeat(5000)}`).text.length).toBeLessThan(1000)
    expect(filter.push('after').text).toBe('after')
  })

  it('takes a paste that would end itself as text', () => {
    expect(safeInput(`${E}[200~ls${E}[201~rm -rf x\r${E}[201~`)).toBe(`${E}[200~lsrm -rf x\r${E}[201~`)
    expect(safeInput('ls\r')).toBe('ls\r')
  })
})
