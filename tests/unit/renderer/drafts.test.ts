import { keepDraft, offerDraft, onDraftOffered, readDraft } from '@renderer/features/composer/drafts'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'

// Without a browser there is no storage, which the drafts bear.
beforeAll(() => void vi.spyOn(console, 'debug').mockImplementation(() => undefined))
afterAll(() => void vi.restoreAllMocks())

describe('offerDraft', () => {
  it('never throws away what is written already, whether the field is open or not', () => {
    offerDraft('s', 'Taken back')
    expect(readDraft('s')).toBe('Taken back')
    const taken: string[] = []
    const stop = onDraftOffered('s', (text) => taken.push(text))
    keepDraft('s', 'half a sentence')
    offerDraft('s', 'Queued')
    stop()
    offerDraft('other', 'x')
    expect(taken).toEqual(['Queued\n\nhalf a sentence'])
    expect(readDraft('s')).toBe('Queued\n\nhalf a sentence')
  })

  it('is not taken by a field that was closed (another session’s)', () => {
    const taken: string[] = []
    const stop = onDraftOffered('t', () => taken.push('old'))
    const stopNew = onDraftOffered('t', () => taken.push('new'))
    stop()
    offerDraft('t', 'x')
    stopNew()
    offerDraft('t', 'y')
    expect(taken).toEqual(['new'])
  })
})
