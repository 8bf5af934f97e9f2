import { createHash } from 'node:crypto'
import { mkdtemp, readFile, realpath, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { deflateSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { editTool } from '../../../src/main/tools/edit'
import { readTool } from '../../../src/main/tools/read'
import { openWithin, withinBounds } from '../../../src/main/workspace/bounds'
import { imageFacts } from '../../../src/main/workspace/image'
import { call, removeContext, type TestContext, testContext } from './context'
import { tree } from './tree'

let context: TestContext
beforeEach(async () => {
  context = await testContext()
})
afterEach(() => removeContext(context))
const read = (path: string, change: Record<string, unknown> = {}) => call(readTool, { path, ...change }, context)

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex')
const png = (width: number, height: number) => {
  const size = Buffer.alloc(8)
  size.writeUInt32BE(width, 0)
  size.writeUInt32BE(height, 4)
  return Buffer.concat([bytes('89504e470d0a1a0a 0000000d'), Buffer.from('IHDR'), size, bytes('0806000000')])
}

/** A PDF with one text for each page; null: a page without any. */
function pdf(pages: (string | null)[], trailer = ''): Buffer {
  const objects: string[] = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    `<< /Type /Pages /Count ${pages.length} /Kids [${pages.map((_, i) => `${4 + 2 * i} 0 R`).join(' ')}] >>`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
  ]
  for (const [i, text] of pages.entries()) {
    const content = text === null ? '' : `BT /F1 12 Tf 20 100 Td (${text}) Tj ET`
    objects.push(
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Contents ${5 + 2 * i} 0 R /Resources << /Font << /F1 3 0 R >> >> >>`,
      `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
    )
  }
  let body = '%PDF-1.4\n'
  const offsets = objects.map((object, i) => {
    const at = body.length
    body += `${i + 1} 0 obj\n${object}\nendobj\n`
    return at
  })
  const rows = offsets.map((at) => `${String(at).padStart(10, '0')} 00000 n \n`).join('')
  const table = `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${rows}`
  const end = `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R ${trailer} >>\nstartxref\n${body.length}\n%%EOF\n`
  return Buffer.from(body + table + end, 'latin1')
}

describe('pictures', () => {
  it('come with their type and size, and are noted as read', async () => {
    const picture = png(640, 480)
    await tree(context.cwd, { 'plot.png': picture })
    const result = await read('plot.png')
    expect(result.images).toEqual([
      { media_type: 'image/png', data_base64: picture.toString('base64'), width: 640, height: 480 },
    ])
    expect(result.output).toContain('plot.png: PNG picture, 640 x 480 pixels')
    expect(context.files.get(join(await realpath(context.cwd), 'plot.png'))?.size).toBe(picture.length)
  })

  it('sizes stand in the headers of all four formats', () => {
    const gif = Buffer.concat([Buffer.from('GIF89a'), bytes('0a00 1400')])
    const jpeg = bytes('ffd8 ffe0 0004 0000 ffc4 0003 00 ff ffc2 0011 08 00c8 0190 03 0000000000')
    const riff = (kind: string, rest: string) =>
      Buffer.concat([
        Buffer.from('RIFF\0\0\0\0WEBP'),
        Buffer.from(kind),
        bytes('00000000'),
        bytes(rest),
        Buffer.alloc(16),
      ])
    expect(imageFacts(gif)).toEqual({ media_type: 'image/gif', width: 10, height: 20 })
    expect(imageFacts(jpeg)).toEqual({ media_type: 'image/jpeg', width: 400, height: 200 })
    expect(imageFacts(riff('VP8 ', '000000 9d012a 4001 f000'))).toMatchObject({ width: 320, height: 240 })
    expect(imageFacts(riff('VP8L', '2f 3fc13b00'))).toMatchObject({ width: 320, height: 240 })
    expect(imageFacts(riff('VP8X', '00000000 3f0100 ef0000'))).toMatchObject({ width: 320, height: 240 })
    expect(imageFacts(png(0, 5))).toMatchObject({ width: null })
    expect(imageFacts(bytes('ffd8ff'))).toMatchObject({ media_type: 'image/jpeg', width: null })
    expect(imageFacts(Buffer.from('hello'))).toBeNull()
  })

  it('too large ones are refused with what to do', async () => {
    await tree(context.cwd, { 'a.png': Buffer.concat([png(10, 10), Buffer.alloc(4_000_000)]), 'b.png': png(9000, 10) })
    expect((await read('a.png')).output).toMatch(/too large.*smaller copy/)
    expect(await read('b.png')).toMatchObject({ ok: false, output: expect.stringContaining('9000 x 10') })
  })
})

describe('PDFs', () => {
  it('are text by pages, and pages can be chosen', async () => {
    await tree(context.cwd, { 'paper.pdf': pdf(['First page', null, 'Third page']) })
    expect((await read('paper.pdf')).output).toBe(
      'paper.pdf: PDF, 3 pages\n\n── page 1\nFirst page\n\n── page 2\n(no text)\n\n── page 3\nThird page',
    )
    const third = await read('paper.pdf', { pages: '3-4' })
    expect(third.output).toBe('paper.pdf: PDF, 3 pages\n\n── page 3\nThird page')
    expect((await read('paper.pdf', { pages: '7' })).output).toContain('none of those asked for')
    expect((await read('paper.pdf', { pages: 'x' })).output).toContain('names no pages')
    expect((await read('paper.pdf', { pages: '1-200' })).output).toContain('at most 100')
  })

  it('many pages are given in parts', async () => {
    await tree(context.cwd, { 'long.pdf': pdf(Array.from({ length: 30 }, (_, i) => `Page ${i + 1}`)) })
    const { output } = await read('long.pdf')
    expect(output).toContain('── page 20\nPage 20')
    expect(output).not.toContain('── page 21')
    expect(output).toContain('[Up to page 20 of 30. To go on, read with pages=21-30.]')
  })

  it('scans, encrypted and broken files are told apart', async () => {
    const key = `/Encrypt << /Filter /Standard /V 1 /R 2 /P -1 /O (${'o'.repeat(32)}) /U (${'u'.repeat(32)}) >> /ID [(a) (b)]`
    await tree(context.cwd, {
      'scan.pdf': pdf([null, null]),
      'locked.pdf': pdf(['x'], key),
      'broken.pdf': '%PDF-1.7\nnothing of a PDF',
    })
    expect((await read('scan.pdf')).output).toMatch(/no text.*OCR/)
    expect((await read('locked.pdf')).output).toContain('is encrypted')
    expect((await read('broken.pdf')).output).toContain('cannot be read as a PDF')
  })

  it('ends with the signal while it is at work', async () => {
    await tree(context.cwd, { 'a.pdf': pdf(['x']) })
    const stop = new AbortController()
    const running = call(readTool, { path: 'a.pdf' }, { ...context, signal: stop.signal })
    stop.abort(new Error('enough'))
    await expect(running).rejects.toThrow('enough')
  })
})

describe('what is neither', () => {
  it('says what a binary file is, with its first bytes', async () => {
    await tree(context.cwd, {
      'a.parquet': Buffer.concat([Buffer.from('PAR1'), Buffer.alloc(40)]),
      'a.bin': deflateSync(Buffer.alloc(5000, 'x\0')),
      'a.safetensors': Buffer.concat([
        bytes('2000000000000000'),
        Buffer.from('{"a":{"dtype":"F32"}}'),
        Buffer.alloc(8),
      ]),
      'GIT.txt': 'PAR1 is how it begins',
    })
    const { output, ok } = await read('a.parquet')
    expect(ok).toBe(false)
    expect(output).toContain('a.parquet is a binary file, not text: a Parquet file (44 bytes). Look at it in Python')
    expect(output).toContain('00000000  50 41 52 31 00')
    expect((await read('a.safetensors')).output).toContain('a safetensors file')
    expect((await read('a.bin')).ok).toBe(false)
    expect((await read('GIT.txt')).output).toContain('PAR1 is how it begins')
  })

  it('hints at better tools when rows of a table go on', async () => {
    await tree(context.cwd, { 'a.csv': 'x,y\n'.repeat(3000), 'b.csv': 'x,y\n' })
    expect((await read('a.csv')).output).toContain('pandas')
    expect((await read('b.csv')).output).not.toContain('pandas')
  })
})

describe('bounds', () => {
  it('are those of the real path, of missing files too', async () => {
    const outside = await realpath(await mkdtemp(join(tmpdir(), 'ml-intern-outside-')))
    const cwd = await realpath(context.cwd)
    await tree(outside, { 'x.txt': 'secret plan' })
    await symlink(outside, join(cwd, 'out'))
    await symlink('out/x.txt', join(cwd, 'chain'))
    const at = (path: string) => withinBounds(path, { cwd, granted: [] })
    expect(await at(join(cwd, 'new/file'))).toEqual({ real: join(cwd, 'new/file'), inside: true })
    expect(await at(join(cwd, 'out/new'))).toEqual({ real: join(outside, 'new'), inside: false })
    expect((await at(`${cwd}-other`)).inside).toBe(false)
    expect((await withinBounds(join(outside, 'x.txt'), { cwd, granted: [outside] })).inside).toBe(true)

    for (const path of ['out/x.txt', 'chain']) {
      const { ok, output } = await read(path)
      expect(ok).toBe(false)
      expect(output).toContain(`leads out of the workspace: ${join(outside, 'x.txt')}`)
      expect(output).not.toContain('secret plan')
    }
    // Named itself it was asked for, and granted folders are free.
    expect((await read(join(outside, 'x.txt'))).output).toContain('secret plan')
    const granted = { ...context, granted: [outside] }
    expect((await call(readTool, { path: 'chain' }, granted)).output).toContain('secret plan')
    await rm(outside, { recursive: true })
  })

  it('a link with an innocent name does not lead to a secret', async () => {
    await tree(context.cwd, { '.env': 'TOKEN=1' })
    await symlink('.env', join(context.cwd, 'notes.txt'))
    expect((await read('notes.txt')).output).toContain('may hold a secret')
    expect((await read('.env')).output).toContain('TOKEN=1')
  })

  it('a file that is exchanged for a link again and again is never read through it', async () => {
    const outside = await realpath(await mkdtemp(join(tmpdir(), 'ml-intern-outside-')))
    await tree(outside, { 'x.txt': 'outside' })
    await tree(context.cwd, { 'd/x.txt': 'inside' })
    const cwd = await realpath(context.cwd)
    const stop = new AbortController()
    const exchange = (async () => {
      while (!stop.signal.aborted) {
        await rename(join(cwd, 'd'), join(cwd, 'd2'))
        await symlink(outside, join(cwd, 'd'))
        await unlink(join(cwd, 'd'))
        await rename(join(cwd, 'd2'), join(cwd, 'd'))
        // Sometimes an opening fits in between.
        for (let i = 0; i < 40; i += 1) await nextTurn()
      }
    })()
    let opened = 0
    for (let i = 0; i < 300; i += 1) {
      const file = await openWithin(join(cwd, 'd/x.txt'), { cwd }).catch(() => null)
      if (!file) continue
      opened += 1
      expect((await file.handle.readFile('utf8')).trim()).toBe('inside')
      await file.handle.close()
    }
    stop.abort()
    await exchange
    console.info(`exchanged: ${opened} of 300 opened, none of them outside`)
    const last = await openWithin(join(cwd, 'd/x.txt'), { cwd })
    await last.handle.close()
    await rm(outside, { recursive: true })
  })
})

describe('notebooks', () => {
  const cells = [
    { cell_type: 'markdown', id: 'intro', metadata: {}, source: ['# Title\n', 'text'] },
    {
      cell_type: 'code',
      execution_count: 3,
      id: 'train',
      metadata: { tags: ['x'], big: 1 },
      outputs: [
        { name: 'stdout', output_type: 'stream', text: ['loss 0.5\n'] },
        {
          data: { 'image/png': 'A'.repeat(4000), 'text/plain': ['<Figure>'] },
          metadata: {},
          output_type: 'display_data',
        },
        { ename: 'ValueError', evalue: 'bad', output_type: 'error', traceback: ['\u001b[31mValueError\u001b[0m: bad'] },
      ],
      source: ['lr = 1e-3\n', 'train(lr)'],
    },
    { cell_type: 'code', execution_count: null, id: 'empty', metadata: {}, outputs: [], source: [] },
  ]
  const notebook = (extra = '') =>
    `${JSON.stringify({ cells, metadata: { kernelspec: { language: 'python' } }, nbformat: 4, nbformat_minor: 5 }, null, 1).replace('"big": 1', '"big": 12345678901234567890, "f": 1.0')}${extra}`
  const edit = (change: Record<string, unknown>) =>
    call(editTool, { path: 'n.ipynb', old_str: '', new_str: '', ...change }, context)
  const text = () => readFile(join(context.cwd, 'n.ipynb'), 'utf8')
  const start = async (content = notebook('\n')) => {
    await tree(context.cwd, { 'n.ipynb': content })
    return read('n.ipynb')
  }

  it('are shown by cells', async () => {
    const { output } = await start()
    expect(output).toBe(
      [
        'n.ipynb: notebook, 3 cells, python',
        '── cell 1 · markdown · id intro\n# Title\ntext',
        '── cell 2 · code · id train · In [3]\nlr = 1e-3\ntrain(lr)\n── output [stdout]\nloss 0.5\n── output [result]\n[image/png, 3 KiB, not shown]\n<Figure>\n── output [error]\nValueError: bad',
        '── cell 3 · code · id empty · In [ ]\n',
      ].join('\n\n'),
    )
    const second = await read('n.ipynb', { offset: 2, limit: 1 })
    expect(second.output).toContain('[Cells 2 to 2 of 3. To go on, read with offset=3.]')
    expect(second.output).not.toContain('# Title')
  })

  it('one cell is changed and every other byte stays', async () => {
    await start()
    const before = await text()
    const result = await edit({ cell: 2, old_str: '1e-3', new_str: '3e-4' })
    expect(result.output).toBe('Edited cell 2 of n.ipynb. Its outputs were of the old source and are cleared.')
    expect(result.details).toMatchObject({ kind: 'diff', added: 1, removed: 1 })
    const after = await text()
    const outputs = before.slice(before.indexOf('"outputs": [\n'), before.indexOf('"source": [\n    "lr'))
    const expected = before
      .replace(outputs, '"outputs": [],\n   ')
      .replace('"execution_count": 3', '"execution_count": null')
      .replace('1e-3', '3e-4')
    expect(after).toBe(expected)
    expect(after).toContain('12345678901234567890, "f": 1.0')
    // Known as it is now: the next change needs no reading.
    expect(await edit({ cell: 'intro', old_str: 'Title', new_str: 'New' })).toMatchObject({ ok: true })
  })

  it('cells are inserted, replaced and deleted as nbformat writes them', async () => {
    await start()
    expect(await edit({ cell: '0', cell_op: 'insert_after', new_str: 'import x', cell_type: 'code' })).toMatchObject({
      ok: true,
    })
    expect(
      await edit({ cell: '4', cell_op: 'insert_after', new_str: '## End\n', cell_type: 'markdown' }),
    ).toMatchObject({ ok: true })
    expect(await edit({ cell: 'train', cell_op: 'insert_before', new_str: 'a\nb' })).toMatchObject({ ok: true })
    expect(await edit({ cell: 'empty', cell_op: 'delete' })).toMatchObject({ ok: true })
    expect(await edit({ cell: 'intro', cell_op: 'replace', new_str: 'x = 1', cell_type: 'code' })).toMatchObject({
      ok: true,
    })
    const after = await text()
    const parsed = JSON.parse(after) as {
      cells: { cell_type: string; source: string[]; id: string; outputs?: unknown[] }[]
    }
    expect(parsed.cells.map(({ cell_type, source }) => [cell_type, source.join('')])).toEqual([
      ['code', 'import x'],
      ['code', 'x = 1'],
      ['code', 'a\nb'],
      ['code', 'lr = 1e-3\ntrain(lr)'],
      ['markdown', '## End\n'],
    ])
    expect(parsed.cells[0]?.id).toMatch(/^[0-9a-f]{8}$/)
    expect(parsed.cells[1]).toMatchObject({ id: 'intro', outputs: [] })
    expect(after.endsWith('}\n')).toBe(true)
    const plain = after.replace('12345678901234567890, "f": 1.0', '1')
    expect(plain).toBe(`${JSON.stringify(JSON.parse(plain), null, 1)}\n`)
  })

  it('keeps a file of one line, CRLF and a missing last line feed', async () => {
    await start(JSON.stringify({ cells, metadata: {}, nbformat: 4, nbformat_minor: 4 }))
    await edit({ cell: 2, old_str: 'lr =', new_str: 'LR =' })
    await edit({ cell: 3, cell_op: 'insert_after', new_str: 'z' })
    const one = await text()
    expect(one).not.toContain('\n')
    expect(JSON.parse(one)).toMatchObject({
      cells: [{}, { outputs: [], source: ['LR = 1e-3\n', 'train(lr)'] }, {}, { source: ['z'] }],
    })
    await start(notebook().replaceAll('\n', '\r\n'))
    await edit({ cell: 2, cell_op: 'replace', new_str: 'p\nq' })
    expect((await text()).replaceAll('\r\n', '')).not.toContain('\n')
  })

  it('refuses what is not fresh, not read, not there, or not a notebook of format 4', async () => {
    await tree(context.cwd, {
      'n.ipynb': notebook('\n'),
      'a.txt': 'x',
      'v3.ipynb': '{"nbformat": 3, "worksheets": []}',
      'bad.ipynb': '{"cells": [',
    })
    expect((await edit({ cell: 1, old_str: 'Title', new_str: 'x' })).output).toContain('has not been read')
    await read('n.ipynb')
    expect((await edit({ cell: 9, old_str: 'Title', new_str: 'x' })).output).toContain('no cell 9')
    expect((await edit({ cell: 1, old_str: 'Titel', new_str: 'x' })).output).toContain('not found in cell 1')
    expect((await edit({ old_str: 'Title', new_str: 'x' })).output).toContain('Name the cell')
    expect((await edit({ path: 'a.txt', cell: 1, old_str: 'x', new_str: 'y' })).output).toContain('no notebook')
    await writeFile(join(context.cwd, 'n.ipynb'), notebook('\n\n'))
    expect((await edit({ cell: 1, old_str: 'Title', new_str: 'x' })).output).toContain('changed by something else')
    expect((await read('v3.ipynb')).output).toContain('format 3')
    // Broken JSON is a text that can be mended.
    expect((await read('bad.ipynb')).output).toContain('1\t{"cells": [')
    expect(await edit({ path: 'bad.ipynb', old_str: '[', new_str: '[]' })).toMatchObject({ ok: true })
    expect(editTool.schema.safeParse({ path: 'n', old_str: '', new_str: 'x', cell: '1' }).success).toBe(false)
    expect(editTool.schema.safeParse({ path: 'n', old_str: 'x', new_str: 'x', cell_op: 'delete' }).success).toBe(false)
  })

  it('large ones go through a worker, with the same result', async () => {
    const picture = { 'image/png': 'B'.repeat(3_000_000), 'text/plain': ['p'] }
    const big = { ...cells[1], outputs: [{ data: picture, metadata: {}, output_type: 'display_data' }] }
    const { output } = await start(
      JSON.stringify({ cells: [big], metadata: {}, nbformat: 4, nbformat_minor: 5 }, null, 1),
    )
    expect(output).toContain('[image/png, 2198 KiB, not shown]')
    expect(output.length).toBeLessThan(2000)
    expect(await edit({ cell: 'train', old_str: '1e-3', new_str: '1e-4' })).toMatchObject({ ok: true })
    expect((await text()).length).toBeLessThan(1000)
    expect(
      createHash('sha256')
        .update(await text())
        .digest('hex'),
    ).toBe(context.files.get(join(await realpath(context.cwd), 'n.ipynb'))?.hash)
  })
})
