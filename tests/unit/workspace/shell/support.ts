import { type ActionFacts, commandFacts } from '../../../../src/main/workspace/shell'

export const CWD = '/w/project'

/** `§` stands for `$`, where the linter would take the text for a template. */
export function factsOf(command: string, work_dir = '.'): ActionFacts {
  return commandFacts(command.replaceAll('§', '$'), { cwd: CWD, work_dir })
}

/** The parts of a command line in short: `rm x`, `?sh` (opaque), `>out.txt`, `PATH=…`; `(ls)` is harmless. */
export function partsOf(command: string, work_dir = '.'): string[] {
  return factsOf(command, work_dir).subjects.map(({ operation, text, opaque, harmless }) => {
    const shown = text.replaceAll('${', '§{')
    const mark = operation === 'redirect' ? '>' : operation === 'assign' ? '$' : ''
    const whole = `${opaque ? '?' : ''}${mark}${shown}`
    return harmless ? `(${whole})` : whole
  })
}
