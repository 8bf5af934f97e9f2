import type { PlanItem } from '@shared/content'
import type { Loop } from './doom-loop'
import type { MalformedStreak } from './malformed'

/** Steps of the plan that a note names; the rest are counted. */
const NAMED_STEPS = 4
/** Of a step's text. */
const STEP_CHARS = 200

const ASK_INSTEAD = 'If you cannot go on without the user, say what stands in the way and ask one precise question.'

export function loopNote(loop: Loop): string {
  return (
    `${whatRepeats(loop, 'You have')} Doing it again will not change the result. Stop and look at the last result: why ` +
    'does it not get you further? Then change something that matters: other arguments, another tool, or a smaller step ' +
    `that tests one assumption. If you wait for something that is still running, wait longer before you look again. ${ASK_INSTEAD}`
  )
}

/** Read by the user, who is asked, and by the model when the user answers. */
export function loopQuestion(loop: Loop): string {
  return (
    `${whatRepeats(loop, 'The model has')} It is the third loop in this turn, so the turn was ended here. How should it ` +
    'go on? Answer with another approach or with what it is missing; or write “go on” if it should just try further.'
  )
}

export function malformedNote({ tool, count }: MalformedStreak): string {
  return (
    `The arguments of your last ${count} calls of ${named(tool)} were not a valid JSON object, so nothing was run. Do not ` +
    'send the same call again. Make it smaller and simpler: write a long file in parts with several calls, escape quotes, ' +
    'backslashes and line breaks in strings, and close every bracket. For long text the shell may be easier: write a file ' +
    'with a quoted heredoc, a part at a time.'
  )
}

export function malformedQuestion({ tool, count }: MalformedStreak): string {
  return (
    `The model has called ${named(tool)} ${count} times in a row with arguments that could not be read, although it was ` +
    'told how to mend them, so the turn was ended here. How should it go on? Ask for smaller steps, or choose another ' +
    'model for this session.'
  )
}

export function planNote(open: readonly PlanItem[]): string {
  const steps = open.slice(0, NAMED_STEPS).map(({ content, status }) => {
    const text = content.replace(/\s+/g, ' ').trim()
    const cut = text.length > STEP_CHARS ? `${[...text].slice(0, STEP_CHARS - 1).join('')}…` : text
    return `- ${cut} (${status === 'in_progress' ? 'in progress' : 'pending'})`
  })
  const rest = open.length - steps.length
  if (rest > 0) steps.push(`- and ${rest} more`)
  const what = open.length === 1 ? 'one step of your plan is' : `${open.length} steps of your plan are`
  return (
    `Your reply has no tool call and would end the turn, but ${what} not finished:\n${steps.join('\n')}\n` +
    'Go on with the next one now, with at least one tool call. If a step is done or no longer needed, bring the plan up ' +
    `to date first and then give your report. ${ASK_INSTEAD}`
  )
}

function whatRepeats(loop: Loop, who: string): string {
  if (loop.kind === 'identical') {
    return `${who} called ${named(loop.tool)} ${loop.count} times in a row with the same arguments, and got the same result every time.`
  }
  const cycle = loop.tools.map(named).join(' → ')
  return `${who} gone through the same calls twice, with the same arguments and the same results: ${cycle}.`
}

/** A model may invent any name: it must not break the sentence. */
function named(tool: string): string {
  return `\`${tool.replace(/[^\w.:/-]+/g, '_').slice(0, 64)}\``
}
