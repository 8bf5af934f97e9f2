import type { ISearchOptions } from '@xterm/addon-search'
import { ChevronDown, ChevronUp, X } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { IconButton } from '../../components/IconButton'
import { TextField } from '../../components/TextField'
import type { LiveScreen } from './live-terminal'
import { readSearchColours } from './theme'

interface SearchBarProps {
  screen: LiveScreen
  onClose: () => void
}

/** Finds text in the screen and its scrollback. */
export function SearchBar({ screen, onClose }: SearchBarProps) {
  const { search } = screen
  const [text, setText] = useState('')
  const [found, setFound] = useState<{ at: number; count: number } | null>(null)
  const field = useRef<HTMLInputElement>(null)

  useEffect(() => {
    field.current?.focus()
    const listening = search.onDidChangeResults(({ resultIndex, resultCount }) =>
      setFound({ at: resultIndex + 1, count: resultCount }),
    )
    return () => {
      listening.dispose()
      search.clearDecorations()
    }
  }, [search])

  function look(next: string, back: boolean, incremental: boolean): void {
    if (next === '') {
      search.clearDecorations()
      setFound(null)
      return
    }
    if (back) search.findPrevious(next, options(false))
    else search.findNext(next, options(incremental))
  }

  const none = found !== null && found.count === 0
  return (
    <search
      aria-label="Search in the terminal"
      className="flex shrink-0 items-center gap-1 border-b border-line py-1.5 pr-2 pl-3"
    >
      <TextField
        ref={field}
        value={text}
        aria-label="Search in the terminal"
        placeholder="Search in the terminal"
        aria-invalid={none}
        onChange={(event) => {
          setText(event.target.value)
          look(event.target.value, false, true)
        }}
        onKeyDown={(event) => {
          if (event.nativeEvent.isComposing) return
          if (event.key === 'Enter') look(text, event.shiftKey, false)
          else if (event.key === 'Escape') onClose()
          else return
          event.preventDefault()
          event.stopPropagation()
        }}
      />
      <span role="status" className="tabular w-20 shrink-0 text-center text-sm whitespace-nowrap text-ink-2">
        {text === '' || !found
          ? ''
          : none
            ? 'Nothing'
            : found.at === 0
              ? `${found.count} found`
              : `${found.at} of ${found.count}`}
      </span>
      <IconButton icon={ChevronUp} label="Previous" keys={['Shift', 'Enter']} onClick={() => look(text, true, false)} />
      <IconButton icon={ChevronDown} label="Next" keys={['Enter']} onClick={() => look(text, false, false)} />
      <IconButton icon={X} label="Close the search" keys={['Esc']} onClick={onClose} />
    </search>
  )
}

function options(incremental: boolean): ISearchOptions {
  const { match, active, border } = readSearchColours()
  return {
    incremental,
    decorations: {
      matchBackground: match,
      matchOverviewRuler: match,
      activeMatchBackground: active,
      activeMatchBorder: border,
      activeMatchColorOverviewRuler: border,
    },
  }
}
