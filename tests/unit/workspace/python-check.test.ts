import { describe, expect, it } from 'vitest'
import { pythonSyntaxWarning, pythonWarnings } from '../../../src/main/workspace/python-check'
import { fixture } from '../tools/context'

interface Vectors {
  vectors: { name: string; source: string; expected_warnings: string[] }[]
}
const { vectors } = await fixture<Vectors>('python_write_warnings')
const options = { env: { PATH: process.env.PATH }, signal: new AbortController().signal }

describe('pythonWarnings', () => {
  for (const { name, source, expected_warnings } of vectors) {
    it(`vector ${name}`, async () => {
      const warnings = await pythonWarnings(source, options)
      expect(warnings).toHaveLength(expected_warnings.length)
      // A syntax error goes on with Python's own message, which differs between versions.
      for (const [i, expected] of expected_warnings.entries()) expect(warnings[i]?.startsWith(expected)).toBe(true)
    })
  }

  it('without a Python says nothing of the syntax and keeps the training advice', async () => {
    const noPython = { ...options, env: { PATH: '/nowhere' } }
    expect(await pythonWarnings('print((1)\n', noPython)).toEqual([])
    expect(await pythonWarnings('SFTConfig(\n', noPython)).toHaveLength(2)
  })

  it('is not fooled by the environment, the encoding or a hostile folder', async () => {
    expect(await pythonSyntaxWarning('# ünï\nx = "😀"\n', options)).toBeNull()
    expect(await pythonSyntaxWarning('x = 1\0\n', options)).toContain('Python syntax error')
    expect(await pythonSyntaxWarning('assert 1 is 1\n', options)).toBeNull()
  })

  it('ends with the signal', async () => {
    expect(await pythonSyntaxWarning('print((1)\n', { ...options, signal: AbortSignal.abort() })).toBeNull()
  })
})
