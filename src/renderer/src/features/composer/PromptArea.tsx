import {
  type KeyboardEvent,
  type Ref,
  type TextareaHTMLAttributes,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
} from 'react'

interface PromptAreaProps extends Omit<TextareaHTMLAttributes<HTMLTextAreaElement>, 'onChange' | 'value'> {
  value: string
  onChange: (value: string) => void
  onSend: () => void
  /** Alt+Enter. */
  onQueue?: () => void
  /** Sees every key first; true: it was for a list over the field. */
  onListKey?: (event: KeyboardEvent<HTMLTextAreaElement>) => boolean
  /** Up-arrow in the empty field. */
  onRecall?: () => void
  onEscape?: () => void
  /** Pixels. */
  minHeight: number
  ref?: Ref<HTMLTextAreaElement>
}

/** Pixels after which the text scrolls in itself: about a dozen lines. */
const MAX_HEIGHT = 280

/** A text field as high as its text. Enter sends, Shift+Enter breaks the line; an input method's Enter only ends its word. */
export function PromptArea(props: PromptAreaProps) {
  const { value, onChange, onSend, onQueue, onListKey, onRecall, onEscape, minHeight, ref, ...rest } = props
  const area = useRef<HTMLTextAreaElement>(null)
  useImperativeHandle<HTMLTextAreaElement | null, HTMLTextAreaElement | null>(ref, () => area.current, [])

  useLayoutEffect(() => {
    if (area.current) fitHeight(area.current, value, minHeight)
  }, [value, minHeight])

  function onKeyDown(event: KeyboardEvent<HTMLTextAreaElement>): void {
    // 229: some browsers send the key that ends a composition after the composition itself.
    if (event.nativeEvent.isComposing || event.keyCode === 229) return
    if (onListKey?.(event)) {
      event.preventDefault()
      return
    }
    if (event.key === 'Enter' && event.altKey && onQueue) {
      event.preventDefault()
      onQueue()
    } else if (event.key === 'Enter' && !event.shiftKey && !event.altKey) {
      event.preventDefault()
      onSend()
    } else if (event.key === 'Escape' && onEscape) {
      event.preventDefault()
      onEscape()
    } else if (event.key === 'ArrowUp' && value === '' && onRecall) {
      event.preventDefault()
      onRecall()
    }
  }

  return (
    <textarea
      rows={1}
      {...rest}
      ref={area}
      value={value}
      onChange={(event) => onChange(event.target.value)}
      onKeyDown={onKeyDown}
      style={{ minHeight }}
      className="block w-full resize-none bg-transparent text-read text-ink outline-none disabled:cursor-not-allowed disabled:text-ink-3"
    />
  )
}

/** As high as the text needs. Without text nothing has to be measured, which would cost a layout. */
function fitHeight(element: HTMLTextAreaElement, text: string, minHeight: number): void {
  element.style.height = `${minHeight}px`
  if (text) element.style.height = `${Math.min(MAX_HEIGHT, Math.max(minHeight, element.scrollHeight))}px`
}
