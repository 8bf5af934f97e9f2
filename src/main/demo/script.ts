import lookScript from '../../../resources/demo/look_at_data.py?raw'
import trainScript from '../../../resources/demo/train.py?raw'
import { argument, type DoneCall, type History } from './history'
import {
  type CheckFacts,
  type DataFacts,
  type Metrics,
  readCheck,
  readDataFacts,
  readMetrics,
  readTrainingFacts,
  type TrainingFacts,
} from './observations'
import {
  AFTER_REPORT,
  describeData,
  explainStop,
  isPythonMissing,
  modelCard,
  NOT_THE_DEMO,
  REPORT_CLOSING,
  report,
} from './texts'

export interface ScriptedCall {
  name: string
  input: Record<string, unknown>
}
export interface ScriptedReply {
  reasoning?: string
  text: string
  /** Empty: the turn ends with this reply. */
  calls: ScriptedCall[]
}

const PLAN = [
  'Look at the data',
  'Write the training script, with a baseline',
  'Train and cross-validate',
  'Read the metrics',
  'Write the model card',
  'Check the saved model and report',
]
/** Seconds; the training takes about 3 s on one core, and a first import of scikit-learn can take a while. */
const TRAINING_TIMEOUT_S = 600

/**
 * The next reply, decided from the conversation alone: the first step whose result is not there yet. So an interrupted,
 * failed or resumed run goes on where it stopped, and nothing has to be remembered between calls.
 */
export function nextReply(history: History): ScriptedReply {
  if (!history.user_texts.some(({ text }) => /penguin/i.test(text))) return say(NOT_THE_DEMO)
  if (history.replies.some(({ text }) => text.includes(REPORT_CLOSING))) return say(AFTER_REPORT)

  const python = history.calls.some((call) => isProbe(call) && foundPython(call)) ? 'python' : 'python3'
  const step = (position: number, matches: Matches, reply: ScriptedReply): ScriptedReply =>
    attempt(history, position, matches, reply)

  if (!history.calls.some((call) => isPlan(call) && call.ok)) return step(1, isPlan, opening())
  const data = observed(history, isLook, readDataFacts)
  if (!data) return step(1, isLook, look(python))
  if (!history.calls.some((call) => isWriteOf('train.py')(call) && call.ok)) {
    return step(2, isWriteOf('train.py'), writeScript(data))
  }
  const training = observed(history, isTraining, readTrainingFacts)
  if (!training) return step(3, isTraining, train(python))
  const metrics = observed(history, isMetrics, readMetrics)
  if (!metrics) return step(4, isMetrics, readResults(training))
  if (!history.calls.some((call) => isWriteOf('MODEL_CARD.md')(call) && call.ok)) {
    return step(5, isWriteOf('MODEL_CARD.md'), writeCard(metrics, data))
  }
  const check = observed(history, isCheck, readCheck)
  if (!check) return step(6, isCheck, checkModel(python, data))
  if (!history.calls.some((call) => isClosedPlan(call) && call.ok)) return step(6, isClosedPlan, closePlan(check, data))
  return say(report(metrics))
}

type Matches = (call: DoneCall) => boolean

const command = (call: DoneCall): string => (call.name === 'bash' ? argument(call, 'command') : '')
const isPlan: Matches = (call) => call.name === 'plan_tool'
const isClosedPlan: Matches = (call) => isPlan(call) && JSON.stringify(call.input) === JSON.stringify(plan(7).input)
const isLook: Matches = (call) => command(call).includes("<<'PY'")
const isTraining: Matches = (call) => /^python3? train\.py$/.test(command(call))
const isMetrics: Matches = (call) => command(call) === 'cat metrics.json'
const isCheck: Matches = (call) => command(call).includes('train.py --predict')
const isProbe: Matches = (call) => command(call) === 'python --version'
const isWriteOf =
  (path: string): Matches =>
  (call) =>
    call.name === 'write' && argument(call, 'path') === path

function foundPython(call: DoneCall): boolean {
  return call.ok && /\bPython 3\./.test(call.output)
}

/** What the newest successful call of a step says; null when there is none that can be read. */
function observed<T>(history: History, matches: Matches, read: (output: string) => T | null): T | null {
  const call = history.calls.findLast((done) => matches(done) && done.ok)
  return call ? read(call.output) : null
}

/**
 * A step that has no result yet. When it was already tried since the user last spoke, that try failed: it is recovered
 * from where that is possible, and otherwise explained.
 */
function attempt(history: History, position: number, matches: Matches, reply: ScriptedReply): ScriptedReply {
  const failed = history.calls.findLast((call) => matches(call) && call.at > history.last_user_at)
  if (!failed) return resumed(history, position, reply)
  const after = history.calls.filter((call) => call.at > failed.at)

  if (isPythonMissing(failed.output) && command(failed).startsWith('python3 ')) {
    const probe = after.find(isProbe)
    if (!probe) return probePython()
    if (foundPython(probe)) return reply
  }
  if (failed.name === 'write' && /\bread\b/i.test(failed.output) && !failed.output.startsWith('The user denied')) {
    // The file is there from a run that was cut off: the tool wants it read before it is replaced.
    const path = argument(failed, 'path')
    const reading = after.find((call) => call.name === 'read' && argument(call, 'path') === path)
    if (!reading) return { text: `\`${path}\` exists already. I read it before I replace it.`, calls: [read(path)] }
    if (reading.ok) return reply
  }
  if (!isPlan(failed) && !after.some(isPlan)) return { text: '', calls: [prunedPlan(position)] }
  return say(explainStop(failed, writtenFiles(history)))
}

/** After an interrupt or a message in the middle, the reply says where it picks up and shows the plan again. */
function resumed(history: History, position: number, reply: ScriptedReply): ScriptedReply {
  const first = history.calls[0]
  if (!first || first.at > history.last_user_at) return reply
  if (history.calls.some((call) => call.at > history.last_user_at)) return reply
  const said = history.user_texts.at(-1)?.text.trim() ?? ''
  const preface = /^(continue|go on|resume|retry|try again|proceed|yes|ok(ay)?)\b/i.test(said)
    ? 'I pick up where the run stopped.'
    : 'I am the scripted demo model and cannot act on new instructions, so I go on with the demo where it stopped.'
  const calls = reply.calls.some(({ name }) => name === 'plan_tool') ? reply.calls : [plan(position), ...reply.calls]
  return { ...reply, text: `${preface} ${reply.text}`, calls }
}

function opening(): ScriptedReply {
  return {
    reasoning:
      'The task is a small tabular classification. Before any model I want to see the data: how many rows, how the ' +
      'classes are balanced, what is missing, and whether a column gives the answer away. Then a plain baseline, a ' +
      'simple model, cross-validation on the training part, and a test part that is looked at once.',
    text:
      'I will look at the data first, then train a simple model against a baseline, and report only numbers that were ' +
      'measured on birds the model has not seen. This is the scripted demo model at work: the steps are fixed, what ' +
      'they find is not.',
    calls: [plan(1)],
  }
}

function look(python: string): ScriptedReply {
  return {
    text: 'Two looks at the file: a short script that counts, and the first lines as they are.',
    calls: [
      bash(`${python} - <<'PY'\n${lookScript}PY`, 'Count rows, classes, gaps and duplicates'),
      { name: 'read', input: { path: 'penguins.csv', limit: 6 } },
    ],
  }
}

function writeScript(data: DataFacts): ScriptedReply {
  return {
    reasoning:
      `${data.rows} rows and four measurements: a linear model has enough capacity, and it can be trained with the ` +
      'standard library alone, so the script runs wherever Python does. With so little data the split has to be ' +
      'stratified, and everything that is fitted, scaling included, must come from the training part. If scikit-learn ' +
      'is installed, its models can compete; cross-validation decides.',
    text:
      `What the data say:\n\n${describeData(data)}\n\nNext is the training script: a stratified split with a fixed ` +
      'seed, scaling fitted on the training part, multinomial logistic regression by gradient descent, and a majority ' +
      'baseline.',
    calls: [plan(2), { name: 'write', input: { path: 'train.py', content: trainScript } }],
  }
}

function train(python: string): ScriptedReply {
  return {
    text: 'The script is written. I run it now; cross-validation and the loss can be followed in the terminal.',
    calls: [plan(3), bash(`${python} train.py`, 'Train and cross-validate', TRAINING_TIMEOUT_S)],
  }
}

function readResults({ selected, first_loss, last_loss }: TrainingFacts): ScriptedReply {
  const loss =
    first_loss && last_loss && first_loss !== last_loss
      ? ` The training loss fell from ${first_loss} to ${last_loss}.`
      : ''
  return {
    text:
      `Training is through, and cross-validation chose: ${selected}.${loss} For the report I take the numbers from the ` +
      'file that the script wrote, not from the scrolling output.',
    calls: [plan(4), bash('cat metrics.json', 'Read the metrics')],
  }
}

function writeCard(metrics: Metrics, data: DataFacts): ScriptedReply {
  const { accuracy, macro_f1, correct } = metrics.test
  const { baseline } = metrics
  return {
    reasoning:
      `On the test part: accuracy ${accuracy.toFixed(4)} and macro-F1 ${macro_f1.toFixed(4)}, against ` +
      `${baseline.accuracy.toFixed(4)} and ${baseline.macro_f1.toFixed(4)} for the baseline. With ` +
      `${metrics.data.test} test birds the interval matters as much as the number, so it goes into the card.`,
    text:
      `${correct} of ${metrics.data.test} test birds are named correctly; the baseline reaches an accuracy of ` +
      `${baseline.accuracy.toFixed(4)}. I write this down in a model card: results, data and licence, use, limits.`,
    calls: [
      plan(5),
      { name: 'write', input: { path: 'MODEL_CARD.md', content: modelCard(metrics, data.example.values) } },
    ],
  }
}

function checkModel(python: string, data: DataFacts): ScriptedReply {
  return {
    text:
      'One last check: does the saved model work by itself? I ask it, in a fresh process, about the first bird of the ' +
      `file, a known ${data.example.species}. That tests the file, not the quality.`,
    calls: [plan(6), bash(`${python} train.py --predict ${data.example.values.join(' ')}`, 'Ask the saved model')],
  }
}

function closePlan(check: CheckFacts, data: DataFacts): ScriptedReply {
  const right = check.species === data.example.species
  const text = right
    ? `It loads and answers ${check.species} with a probability of ${check.probability}, which is right.`
    : `It loads, but answers ${check.species} (${check.probability}) for a bird that is a ${data.example.species}: one of ` +
      'its mistakes.'
  return { text, calls: [plan(PLAN.length + 1)] }
}

function probePython(): ScriptedReply {
  return {
    text: 'There is no command `python3` here. I look whether Python 3 goes by the name `python`.',
    calls: [bash('python --version', 'Look for Python')],
  }
}

/** The plan with everything before `position` (1 is the first step) completed. */
function plan(position: number): ScriptedCall {
  const todos = PLAN.map((content, i) => ({
    id: String(i + 1),
    content,
    status: i + 1 < position ? 'completed' : i + 1 === position ? 'in_progress' : 'pending',
  }))
  return { name: 'plan_tool', input: { todos } }
}

/** A plan that promises nothing more: what was done, and the explanation that follows. */
function prunedPlan(position: number): ScriptedCall {
  const done = PLAN.slice(0, position - 1).map((content, i) => ({ id: String(i + 1), content, status: 'completed' }))
  const last = { id: String(position), content: 'Explain what stopped the run', status: 'completed' }
  return { name: 'plan_tool', input: { todos: [...done, last] } }
}

function writtenFiles(history: History): string[] {
  const paths = history.calls.flatMap((call) => (call.name === 'write' && call.ok ? [argument(call, 'path')] : []))
  return [...new Set(paths)]
}

function bash(line: string, description: string, timeout?: number): ScriptedCall {
  return { name: 'bash', input: { command: line, description, ...(timeout ? { timeout } : {}) } }
}

function read(path: string): ScriptedCall {
  return { name: 'read', input: { path } }
}

function say(text: string): ScriptedReply {
  return { text, calls: [] }
}
