export { parseShell } from './parse'
export { riskReason } from './risks'
export { type ActionFacts, type ActionSubject, commandFacts, fileFacts, openedPaths } from './subjects'
export type { ShellLine, SimpleCommand, Word } from './types'
