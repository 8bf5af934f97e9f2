/** "+12 −3" of a file. */
export function Changes({ added, removed }: { added: number; removed: number }) {
  return (
    <span className="font-mono text-xs">
      <span className="sr-only">{`${added} added, ${removed} removed.`}</span>
      <span aria-hidden>
        <span className="text-ok">+{added}</span> <span className="text-bad">−{removed}</span>
      </span>
    </span>
  )
}
