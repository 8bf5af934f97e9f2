/** Providers whose ids are the same here. */
const OWN = /^(hf|ollama|vllm|lm_studio|llamacpp|openai-compat|demo)\/\S+$/
const VALID = /^[\w.-]+(?:\/[\w.:@-]+)+$/

/**
 * An id of the reference as one of ours; null when it is none. There everything that is no local server was a model of
 * the Hugging Face router, `anthropic/claude-opus-4.8:fal-ai` too; one of Anthropic without a provider is asked directly.
 */
export function importedModel(name: string): string | null {
  const id = name.trim().replace(/^huggingface\//, 'hf/')
  if (OWN.test(id)) return id
  if (/^claude-[\w.@-]+$/i.test(id)) return `anthropic/${id}`
  if (!VALID.test(id)) return null
  return id.startsWith('anthropic/') && !id.includes(':') ? id : `hf/${id}`
}
