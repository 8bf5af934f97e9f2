import { Kbd } from '../../components/Kbd'

/** The keys work while the card itself has the focus, and are shown only then; their place is kept where there is room. */
export function KeyHint({ what = '' }: { what?: string }) {
  return (
    <span className="invisible flex @max-[37rem]:hidden items-center gap-1.5 text-sm text-ink-3 group-focus/card:visible">
      <Kbd keys={['Y']} /> approve {what} <Kbd keys={['N']} /> deny {what}
    </span>
  )
}
