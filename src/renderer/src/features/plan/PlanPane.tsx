import type { PlanItem } from '@shared/content'
import { clsx } from 'clsx'
import { Check } from 'lucide-react'

/** The agent's plan: what is done, what it does now, what is left. */
export function PlanPane({ plan }: { plan: PlanItem[] }) {
  if (plan.length === 0) {
    return (
      <div className="grid h-full place-items-center p-6 text-center">
        <div className="max-w-64">
          <p className="font-medium">No plan yet</p>
          <p className="mt-1 text-balance text-ink-2">
            For work of several steps the agent writes its plan here and ticks it off as it goes.
          </p>
        </div>
      </div>
    )
  }
  const done = plan.filter((step) => step.status === 'completed').length
  return (
    <section aria-label="Plan" className="h-full overflow-y-auto p-4">
      {/* The tab above shows the same to the eye. */}
      <h2 className="sr-only">
        Plan, {done} of {plan.length} done
      </h2>
      <ol>
        {plan.map((step) => (
          <Step key={step.id} step={step} />
        ))}
      </ol>
    </section>
  )
}

const WORDS: Record<PlanItem['status'], string> = { pending: 'To do', in_progress: 'In progress', completed: 'Done' }

function Step({ step }: { step: PlanItem }) {
  const { status } = step
  return (
    <li
      aria-current={status === 'in_progress' ? 'step' : undefined}
      className={clsx(
        'grid grid-cols-[18px_1fr] gap-2 py-1',
        status === 'completed' && 'text-ink-3',
        status === 'in_progress' && 'font-medium text-ink',
        status === 'pending' && 'text-ink-2',
      )}
    >
      <span
        aria-hidden
        className={clsx(
          'mt-1 grid size-3 place-items-center rounded-[3px] border-[1.5px]',
          status === 'completed' && 'border-ok bg-ok text-bg',
          status === 'in_progress' && 'border-accent bg-accent-soft',
          status === 'pending' && 'border-line-strong',
        )}
      >
        {status === 'completed' && <Check size={9} strokeWidth={4} />}
      </span>
      <span className="min-w-0 break-words">
        <span className="sr-only">{WORDS[status]}: </span>
        {step.content}
      </span>
    </li>
  )
}
