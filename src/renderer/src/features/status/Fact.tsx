import type { ReactNode } from 'react'

/** A line of a panel of the status bar; inside `dl`. */
export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="grid grid-cols-[88px_minmax(0,1fr)] gap-2">
      <dt className="text-ink-3">{name}</dt>
      <dd className="break-words">{children}</dd>
    </div>
  )
}
