import type { ApprovalMode, Effort } from '@shared/settings'

export const MODES: { value: ApprovalMode; label: string; description: string }[] = [
  { value: 'plan', label: 'Plan', description: 'Reads and plans. Changes nothing, runs nothing.' },
  { value: 'ask', label: 'Ask', description: 'Asks before it changes a file or runs a command.' },
  { value: 'auto', label: 'Auto', description: 'Changes files and runs commands without asking.' },
  { value: 'full', label: 'Full', description: 'Never asks for anything.' },
]

export function modeLabel(mode: ApprovalMode): string {
  return MODES.find((entry) => entry.value === mode)?.label ?? mode
}

export const EFFORTS: { value: Effort | 'default'; label: string; description: string }[] = [
  { value: 'default', label: 'Model default', description: 'What the provider recommends.' },
  { value: 'low', label: 'Low', description: 'Quick answers, few tokens.' },
  { value: 'medium', label: 'Medium', description: 'Some thinking.' },
  { value: 'high', label: 'High', description: 'Thinks before hard steps.' },
  { value: 'xhigh', label: 'Extra high', description: 'Long work on hard problems.' },
  { value: 'max', label: 'Max', description: 'No limit but the model’s own.' },
]

export function effortLabel(effort: Effort | null): string {
  return EFFORTS.find(({ value }) => value === (effort ?? 'default'))?.label ?? ''
}
