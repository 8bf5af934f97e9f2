import { DEFAULT_MODEL } from '@shared/settings'
import cardTemplate from '../../../resources/demo/model-card.md?raw'
import reportTemplate from '../../../resources/demo/report.md?raw'
import { argument, type DoneCall } from './history'
import type { Counted, DataFacts, Metrics } from './observations'

/** The last sentence of the report: by it the script knows that the report was given whole. */
export const REPORT_CLOSING =
  'To work on your own data, add an Anthropic API key (in Settings, or as `ANTHROPIC_API_KEY`), choose a model, and ' +
  'start a session in the folder of your project.'

const REAL_MODEL =
  `1. Add an Anthropic API key: in Settings, or as the environment variable \`ANTHROPIC_API_KEY\`.\n` +
  `2. Choose a model for this session, for example \`${DEFAULT_MODEL}\`.\n` +
  `3. Send your message again. The model will see this whole conversation and the files in this folder.`

export const AFTER_REPORT =
  'I am the scripted demo model: I can run the penguin demo, which is finished here, and nothing else. I did not ' +
  `understand your message, and no language model read it. To go on with a real one:\n\n${REAL_MODEL}`

export const NOT_THE_DEMO =
  'I am the scripted demo model. I know one task, the bundled penguin project, and I cannot read or answer anything ' +
  'else. To see it, choose **Try the demo**, or run `ml-intern demo` in a terminal. To have your own request worked ' +
  `on:\n\n${REAL_MODEL}`

/** What the data look like, and what follows from it; every number is from the output that was just read. */
export function describeData(data: DataFacts): string {
  const [largest] = data.species
  const total = data.species.reduce((sum, { n }) => sum + n, 0)
  const points = [
    `**Size.** ${data.rows} rows, ${data.columns} columns, ${data.duplicates === 0 ? 'no' : data.duplicates} duplicate rows.`,
  ]
  if (largest) {
    points.push(
      `**Balance.** ${list(data.species)}. Always answering ${largest.name} would be right ` +
        `${Math.round((100 * largest.n) / total)} % of the time, so accuracy alone says little: I will report macro-F1 too, ` +
        'and that baseline.',
    )
  }
  if (data.missing.length > 0) {
    const dropped =
      data.empty_rows > 0 ? ` ${plural(data.empty_rows, 'row has', 'rows have')} no measurement at all: left out.` : ''
    points.push(`**Gaps.** Missing values: ${list(data.missing)}.${dropped}`)
  }
  if (data.odd_sex.length > 0) {
    const values = data.odd_sex.map((value) => `\`${value}\``).join(', ')
    points.push(`**Dirt.** The column \`sex\` also holds ${values}. It is not a measurement, so I do not use it.`)
  }
  if (data.one_island.length > 0) {
    const where = data.one_island.map(({ species, island }) => `every ${species} comes from ${island}`).join(', ')
    points.push(
      `**A shortcut.** ${sentence(where)}: a model that sees the island would learn where a bird was caught, not ` +
        'what it looks like. I leave the island out.',
    )
  }
  return points.map((point) => `- ${point}`).join('\n')
}

export function modelCard(m: Metrics, exampleValues: string[]): string {
  return fill(cardTemplate, { ...metricValues(m), example_values: exampleValues.join(' ') })
}

export function report(m: Metrics): string {
  return fill(reportTemplate, { ...metricValues(m), closing: REPORT_CLOSING }).trimEnd()
}

function metricValues(m: Metrics): Record<string, string> {
  const { test, data, versions } = m
  const labels = test.confusion_matrix.labels
  const sklearn = versions['scikit-learn']
  const rows = labels.flatMap((name) => {
    const c = test.per_class[name]
    return c ? [`| ${name} | ${fixed(c.precision)} | ${fixed(c.recall)} | ${fixed(c.f1)} | ${c.support} |`] : []
  })
  return {
    accuracy: fixed(test.accuracy),
    macro_f1: fixed(test.macro_f1),
    correct: String(test.correct),
    ci_low: fixed(test.accuracy_ci95[0]),
    ci_high: fixed(test.accuracy_ci95[1]),
    one_bird: `${(100 / data.test).toFixed(1)} percentage points`,
    baseline_name: m.baseline.name,
    baseline_accuracy: fixed(m.baseline.accuracy),
    baseline_macro_f1: fixed(m.baseline.macro_f1),
    selected: m.selected,
    folds: String(m.cv.folds),
    cv_mean: fixed(m.cv.macro_f1_mean),
    cv_std: fixed(m.cv.macro_f1_std),
    candidate_count: String(m.candidates.length),
    rows: String(data.rows),
    rows_used: String(data.rows_used),
    train_rows: String(data.train),
    test_rows: String(data.test),
    seed: String(m.seed),
    class_list: labels.join(', '),
    per_class_table: ['| species | precision | recall | F1 | test birds |', '|---|---:|---:|---:|---:|', ...rows].join(
      '\n',
    ),
    mistakes: mistakes(m),
    sklearn_note: sklearn
      ? `scikit-learn ${sklearn} is installed, so its models took part.`
      : 'scikit-learn is not installed here, so only the models written in plain Python took part.',
    versions: `Python ${versions.python}${sklearn ? `, scikit-learn ${sklearn}` : ', standard library only'}`,
  }
}

function mistakes(m: Metrics): string {
  const { labels, rows_true_columns_predicted: rows } = m.test.confusion_matrix
  const found = rows.flatMap((row, i) =>
    row.flatMap((n, j) => (i !== j && n > 0 ? [`${n} ${labels[i] ?? ''} taken for ${labels[j] ?? ''}`] : [])),
  )
  return found.length > 0 ? `Mistakes on the test part: ${found.join(', ')}.` : 'No mistakes on the test part.'
}

/** Why the script ends early: what happened, what exists, what the user can do. */
export function explainStop(call: DoneCall, written: string[]): string {
  const what =
    call.name === 'bash' ? firstLine(argument(call, 'command')) : `${call.name} ${argument(call, 'path')}`.trim()
  const made = written.map((path) => `\`${path}\``).join(', ')
  const state = made ? `Written so far: ${made}.` : 'No file was written.'
  const [reason, remedy] = diagnose(call.output)
  const quoted = reason.quote ? `\n\n\`\`\`\`text\n${tail(call.output)}\n\`\`\`\`` : ''
  return `${fill(reason.text, { what: `\`${what}\`` })}${quoted}\n\n${state} There is no result to report. ${remedy}`
}

function diagnose(output: string): [{ text: string; quote: boolean }, string] {
  if (output.startsWith('The user denied')) {
    const said = /says: ([\s\S]+)$/.exec(output)?.[1]?.trim()
    const reason = said ? ` You wrote: “${said}” A scripted model cannot act on that.` : ''
    const text = `You declined {{what}}, so I did not run it, and the demo stops here.${reason}`
    return [{ text, quote: false }, 'Send “continue” if you want me to ask again.']
  }
  if (output.startsWith('Plan mode')) {
    const text = 'This session is in Plan mode, which is read-only, so {{what}} was refused and the demo stops here.'
    return [{ text, quote: false }, 'Switch to Ask or Auto and send “continue”.']
  }
  if (isPythonMissing(output)) {
    const text = 'The demo stops here: this machine has no Python 3 that a command can find, and training needs one.'
    const remedy =
      'Install Python 3.8 or newer (Debian and Ubuntu: `apt install python3`; macOS and Windows: python.org), ' +
      'then send “continue”. No package is needed beside it.'
    return [{ text, quote: true }, remedy]
  }
  if (/penguins\.csv/.test(output) && /No such file|not found|does not exist/i.test(output)) {
    const text = 'The demo stops here: there is no `penguins.csv` in the folder of this session.'
    return [
      { text, quote: false },
      'Start it with **Try the demo** or `ml-intern demo`: both copy the data to a new folder.',
    ]
  }
  const text = 'The demo stops here: {{what}} did not succeed. The end of its output:'
  return [{ text, quote: true }, 'When the cause is removed, send “continue” and I will try this step again.']
}

export function isPythonMissing(output: string): boolean {
  return /python3?['"]?: (command )?not found|python3?['"]? is not recognized|Python was not found|env: .?python3?.?: No such file/i.test(
    output,
  )
}

/** Replaces every `{{name}}`; a name without a value is a defect and throws. */
function fill(template: string, values: Record<string, string>): string {
  return template.replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = values[name]
    if (value === undefined) throw new Error(`template variable {{${name}}} has no value`)
    return value
  })
}

/** As many digits as metrics.json has. */
function fixed(value: number): string {
  return value.toFixed(4)
}

function list(values: Counted[]): string {
  return values.map(({ name, n }) => `${name} ${n}`).join(', ')
}

function plural(n: number, one: string, many: string): string {
  return `${n} ${n === 1 ? one : many}`
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? ''
}

/** The last lines of an output, enough to see an error. */
function tail(output: string): string {
  return output.trim().split('\n').slice(-12).join('\n').slice(-1500)
}
