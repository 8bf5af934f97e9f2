import 'react-diff-view/style/index.css'
import { memo, useMemo, useState } from 'react'
import { Decoration, Diff, Hunk, markEdits, tokenize } from 'react-diff-view'
import { firstLines, readPatch } from './diff-rules'
import { OutputBlock } from './OutputBlock'
import { plural } from './tool-text'

/** Lines drawn before the user asks for all of them. */
const FIRST_LINES = 200

interface DiffViewProps {
  /** Unified diff of one file. */
  patch: string
  /** Off where the line numbers would not be those of the file. */
  numbers?: boolean
}

export const DiffView = memo(function DiffView({ patch, numbers = true }: DiffViewProps) {
  const [all, setAll] = useState(false)
  const parsed = useMemo(() => readPatch(patch), [patch])
  const hunks = useMemo(
    () => (parsed ? (all ? parsed.hunks : firstLines(parsed.hunks, FIRST_LINES)) : []),
    [parsed, all],
  )
  const tokens = useMemo(
    () =>
      hunks.length > 0 && !all
        ? tokenize(hunks, { highlight: false, enhancers: [markEdits(hunks, { type: 'block' })] })
        : null,
    [hunks, all],
  )
  if (!parsed) return patch.trim() ? <OutputBlock text={patch} /> : null
  const hidden = all ? 0 : parsed.lines - FIRST_LINES
  return (
    <div className="diff-box">
      <Diff
        viewType="unified"
        diffType="modify"
        hunks={hunks}
        tokens={tokens}
        gutterType={numbers ? 'default' : 'none'}
      >
        {(shown) =>
          shown.flatMap((hunk, i) => [
            ...(i > 0
              ? [
                  <Decoration key={`before ${hunk.content}`}>
                    <span className="diff-gap">{hunk.content}</span>
                  </Decoration>,
                ]
              : []),
            <Hunk key={hunk.content} hunk={hunk} />,
          ])
        }
      </Diff>
      {hidden > 0 && (
        <button
          type="button"
          onClick={() => setAll(true)}
          className="sticky left-0 px-3.5 py-2 text-sm text-ink-2 underline underline-offset-2 hover:text-ink"
        >
          Show {plural(hidden, 'more line')}
        </button>
      )}
    </div>
  )
})
