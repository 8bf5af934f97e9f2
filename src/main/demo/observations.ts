import { z } from 'zod'

/** What the script says about data and results is read from the outputs of this run by the functions here. */

export interface Counted {
  name: string
  n: number
}

export interface DataFacts {
  rows: number
  columns: number
  duplicates: number
  /** Largest first. */
  species: Counted[]
  missing: Counted[]
  empty_rows: number
  /** Values of `sex` that are neither MALE nor FEMALE. */
  odd_sex: string[]
  /** Species that were measured on one island only. */
  one_island: { species: string; island: string }[]
  /** Species and measurements of one bird of the file. */
  example: { species: string; values: string[] }
}

/** Reads the output of look_at_data.py; null when it is not such an output. */
export function readDataFacts(output: string): DataFacts | null {
  const rows = numberLine(output, 'rows')
  const columns = line(output, 'columns')
  const duplicates = numberLine(output, 'duplicate rows')
  const empty_rows = numberLine(output, 'rows without any measurement')
  const species = counted(line(output, 'species') ?? '')
  const [example = '', ...values] = (line(output, 'first complete row') ?? '').split(' ')
  if (rows === null || columns === null || duplicates === null || empty_rows === null) return null
  if (species.length < 2 || values.length === 0) return null
  const one_island = [...output.matchAll(/^islands of (\w+): (.+)$/gm)].flatMap(([, name = '', list = '']) => {
    const [only, ...others] = counted(list)
    return only && others.length === 0 ? [{ species: name, island: only.name }] : []
  })
  return {
    rows,
    columns: columns.split(', ').length,
    duplicates,
    species,
    missing: counted(line(output, 'missing values') ?? ''),
    empty_rows,
    odd_sex: counted(line(output, 'sex values') ?? '')
      .map((value) => value.name)
      .filter((name) => name !== 'MALE' && name !== 'FEMALE'),
    one_island,
    example: { species: example, values },
  }
}

export interface TrainingFacts {
  selected: string
  first_loss: string | null
  last_loss: string | null
}

/** Reads the output of train.py; null when it does not end with a result. */
export function readTrainingFacts(output: string): TrainingFacts | null {
  const selected = /^selected: (.+) \(macro-F1 [\d.]+ \+- [\d.]+\)$/m.exec(output)?.[1]
  if (!selected || !/^wrote model\.json and metrics\.json$/m.test(output)) return null
  const losses = [...output.matchAll(/^step=\d+ loss=([\d.]+)/gm)].map((match) => match[1] ?? null)
  return { selected, first_loss: losses[0] ?? null, last_loss: losses.at(-1) ?? null }
}

const share = z.number().min(0).max(1)
const metricsSchema = z.object({
  seed: z.number().int(),
  data: z.object({ rows: z.number(), rows_used: z.number(), train: z.number(), test: z.number().positive() }),
  baseline: z.object({ name: z.string(), accuracy: share, macro_f1: share }),
  candidates: z.array(z.object({ name: z.string() })).min(1),
  selected: z.string(),
  cv: z.object({ folds: z.number().int(), macro_f1_mean: share, macro_f1_std: z.number() }),
  test: z.object({
    accuracy: share,
    macro_f1: share,
    accuracy_ci95: z.tuple([share, share]),
    correct: z.number().int(),
    per_class: z.record(
      z.string(),
      z.object({ precision: share, recall: share, f1: share, support: z.number().int() }),
    ),
    confusion_matrix: z.object({
      labels: z.array(z.string()),
      rows_true_columns_predicted: z.array(z.array(z.number().int())),
    }),
  }),
  versions: z.object({ python: z.string(), 'scikit-learn': z.string().nullable() }),
})
export type Metrics = z.infer<typeof metricsSchema>

/** Reads metrics.json out of the output of a command; null when it is not there, not whole or of another shape. */
export function readMetrics(output: string): Metrics | null {
  const start = output.indexOf('{')
  const end = output.lastIndexOf('}')
  if (start < 0 || end < start) return null
  let value: unknown
  try {
    value = JSON.parse(output.slice(start, end + 1))
  } catch {
    // Not JSON is an answer here: the script then says that it could not read the metrics.
    return null
  }
  return metricsSchema.safeParse(value).data ?? null
}

export interface CheckFacts {
  species: string
  probability: string
}

/** Reads the output of `train.py --predict`; null when it names no species. */
export function readCheck(output: string): CheckFacts | null {
  const species = line(output, 'species')
  const list = line(output, 'probabilities')
  const probability = list?.split(', ').find((part) => part.startsWith(`${species} `))
  return species && probability ? { species, probability: probability.slice(species.length + 1) } : null
}

function line(output: string, name: string): string | null {
  return new RegExp(`^${name}: (.+)$`, 'm').exec(output)?.[1]?.trim() ?? null
}

function numberLine(output: string, name: string): number | null {
  const text = line(output, name)
  return text !== null && /^\d+$/.test(text) ? Number(text) : null
}

/** "Adelie 152, Gentoo 124"; anything else ("none") gives an empty list. */
function counted(text: string): Counted[] {
  return text.split(', ').flatMap((part) => {
    const [, name, n] = /^(.+) (\d+)$/.exec(part) ?? []
    return name && n ? [{ name, n: Number(n) }] : []
  })
}
