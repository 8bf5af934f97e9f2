import { clsx } from 'clsx'
import { type KeyboardEvent, useEffect, useRef, useState } from 'react'
import { useApp } from '../../stores/app'
import { reportFailure } from '../../stores/ui'

interface TitleFieldProps {
  id: string
  title: string
  onDone: () => void
  className?: string
}

/** Renames a session where its title stands. Enter or leaving the field saves; Escape keeps the old title. */
export function TitleField({ id, title: before, onDone, className }: TitleFieldProps) {
  const [title, setTitle] = useState(before)
  const input = useRef<HTMLInputElement>(null)
  const finished = useRef(false)
  const rename = useApp((app) => app.actions.rename)

  // The menu that started this gives its focus back after it closed; the field asks for it after that.
  useEffect(() => {
    const frame = requestAnimationFrame(() => input.current?.select())
    return () => cancelAnimationFrame(frame)
  }, [])

  function finish(save: boolean): void {
    if (finished.current) return
    finished.current = true
    const next = title.trim()
    onDone()
    if (!save || !next || next === before) return
    rename(id, next).catch((thrown: unknown) => reportFailure('The session was not renamed.', thrown))
  }

  function onKeyDown(event: KeyboardEvent): void {
    event.stopPropagation()
    if (event.nativeEvent.isComposing) return
    if (event.key === 'Enter') finish(true)
    if (event.key === 'Escape') finish(false)
  }

  return (
    <input
      ref={input}
      value={title}
      maxLength={200}
      aria-label="New title"
      onChange={(event) => setTitle(event.target.value)}
      onKeyDown={onKeyDown}
      onBlur={() => finish(true)}
      className={clsx('h-full min-w-0 flex-1 bg-transparent outline-none', className)}
    />
  )
}
