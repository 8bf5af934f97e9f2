/** The part of a syntax tree that these rules touch; the same shape in mdast and hast. */
interface TreeNode {
  type: string
  value?: string
  tagName?: string
  properties?: Record<string, unknown>
  children?: TreeNode[]
}

/** The address of a link that may exist: absolute, http or https. Everything else is shown as its text. */
export function safeLink(href: unknown): string | null {
  if (typeof href !== 'string' || !/^https?:\/\//i.test(href)) return null
  try {
    return new URL(href).href
  } catch {
    // Not an address at all, which is an answer.
    return null
  }
}

/** Rehype: every image becomes a placeholder that names it, so no image of a reply is ever requested. */
export function blockImages(): (tree: TreeNode) => void {
  return (tree) =>
    walk(tree, (node) => {
      if (node.tagName !== 'img' && node.tagName !== 'picture' && node.tagName !== 'source') return
      const { alt, src } = node.properties ?? {}
      node.tagName = 'blocked-image'
      node.properties = { alt: typeof alt === 'string' ? alt : '', source: typeof src === 'string' ? src : '' }
      node.children = []
    })
}

/** Remark: `<br>` is the one tag models need, in table cells. All other HTML is shown as text. */
export function breakTags(): (tree: TreeNode) => void {
  return (tree) =>
    walk(tree, (node) => {
      if (node.type !== 'html' || !/^<br\s*\/?>$/i.test(node.value?.trim() ?? '')) return
      node.type = 'break'
      delete node.value
    })
}

function walk(node: TreeNode, visit: (node: TreeNode) => void): void {
  visit(node)
  for (const child of node.children ?? []) walk(child, visit)
}
