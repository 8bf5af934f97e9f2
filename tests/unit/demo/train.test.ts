import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { resourcesDir } from '../../../src/main/demo/project'

const run = promisify(execFile)
let cwd: string
let script: string

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'train-'))
  const demo = join(await resourcesDir(), 'demo')
  await copyFile(join(demo, 'penguins', 'penguins.csv'), join(cwd, 'penguins.csv'))
  script = await readFile(join(demo, 'train.py'), 'utf8')
})
afterEach(() => rm(cwd, { recursive: true, force: true }))

async function train(text = script, python = 'python3', path = 'none') {
  await writeFile(join(cwd, 'train.py'), text)
  const { stdout, stderr } = await run(python, ['train.py'], { cwd, env: { ...process.env, PYTHONPATH: path } })
  expect(stderr).toBe('')
  const files = await Promise.all(['metrics.json', 'model.json'].map((name) => readFile(join(cwd, name), 'utf8')))
  return { stdout, files, metrics: JSON.parse(files[0] ?? '') }
}

/** A package `sklearn` in the folder `name`, first on the path. */
async function standIn(name: string, files: Record<string, string>): Promise<string> {
  const folder = join(cwd, name, 'sklearn')
  await mkdir(folder, { recursive: true })
  for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text)
  return join(cwd, name)
}

const withoutSklearn = () => standIn('without', { '__init__.py': 'raise ImportError("not here")\n' })

/** Nearest class mean, which is linear: enough to be a real rival. */
const centroid = `
class Model:
    def __init__(self, **options):
        pass

    def fit(self, X, y):
        self.coef_, self.intercept_ = [], []
        for k in sorted(set(y)):
            rows = [x for x, label in zip(X, y) if label == k]
            mean = [sum(column) / len(rows) for column in zip(*rows)]
            self.coef_.append([2 * v for v in mean])
            self.intercept_.append(-sum(v * v for v in mean))
        return self
`

describe('train.py', () => {
  it('learns with the standard library alone, beats the baseline, and keeps the test part apart', async () => {
    const { stdout, metrics } = await train(script, 'python3', await withoutSklearn())
    expect(metrics.versions['scikit-learn']).toBeNull()
    expect(metrics.test.macro_f1).toBeGreaterThan(0.95)
    expect(metrics.test.accuracy - metrics.baseline.accuracy).toBeGreaterThan(0.4)
    expect(metrics.cv.macro_f1_mean).toBeGreaterThan(0.95)
    expect(metrics.data).toMatchObject({ rows: 344, rows_used: 342, train: 273, test: 69 })
    const losses = [...stdout.matchAll(/^step=\d+ loss=([\d.]+)/gm)].map(([, loss]) => Number(loss))
    expect(losses.length).toBeGreaterThanOrEqual(10)
    expect(losses).toEqual([...losses].sort((a, b) => b - a))

    const predict = (...values: string[]) => run('python3', ['train.py', '--predict', ...values], { cwd })
    expect((await predict('39.1', '18.7', '181', '3750')).stdout).toMatch(/^species: Adelie\n/)
    expect((await predict('?', '?', '230', '5800')).stdout).toMatch(/^species: Gentoo\n/)
    await expect(predict('1')).rejects.toMatchObject({ stderr: expect.stringContaining('needs 4 values') })
  })

  it('gives the same files, byte for byte, on every run', async () => {
    const quick = script.replace('STEPS = 200', 'STEPS = 20')
    expect(quick).not.toBe(script)
    const path = await withoutSklearn()
    const first = await train(quick, 'python3', path)
    const second = await train(quick, 'python3', path)
    expect(second.files).toEqual(first.files)
    expect(second.stdout).toBe(first.stdout)
  })

  it('keeps a library model when cross-validation prefers it, in the same file format', async () => {
    const path = await standIn('with', {
      '__init__.py': '__version__ = "9.9"\n',
      'discriminant_analysis.py': `${centroid}\nLinearDiscriminantAnalysis = Model\n`,
      'linear_model.py': `${centroid}\nLogisticRegression = Model\n`,
    })
    // One step and no bias to speak of: our own candidates lose.
    const weak = script.replace('STEPS = 200', 'STEPS = 1').replace('LEARNING_RATE = 1.0', 'LEARNING_RATE = 0.0')
    const { metrics, stdout } = await train(weak, 'python3', path)
    expect(metrics.selected).toBe('linear discriminant analysis (scikit-learn)')
    expect(stdout).toContain('selected: linear discriminant analysis (scikit-learn)')
    expect(metrics.candidates).toHaveLength(5)
    expect(metrics.test.macro_f1).toBeGreaterThan(0.9)
    const { stdout: answer } = await run('python3', ['train.py', '--predict', '39.1', '18.7', '181', '3750'], { cwd })
    expect(answer).toMatch(/^species: Adelie\n/)
  })

  it('works beside the real scikit-learn', async () => {
    const quick = script.replace('STEPS = 200', 'STEPS = 60')
    const { metrics } = await train(quick, '/usr/bin/python3')
    expect(metrics.versions['scikit-learn']).toMatch(/^\d/)
    expect(metrics.candidates).toHaveLength(5)
    expect(
      Math.min(...metrics.candidates.map((c: { cv_macro_f1_mean: number }) => c.cv_macro_f1_mean)),
    ).toBeGreaterThan(0.9)
    expect(metrics.test.macro_f1).toBeGreaterThan(0.95)
  })
})
