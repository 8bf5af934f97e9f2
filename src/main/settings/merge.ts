export type JsonObject = Record<string, unknown>

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Deep merge of two configurations: objects merge, everything else (lists too) is replaced. Neither is changed. */
export function mergeConfig(base: JsonObject, override: JsonObject): JsonObject {
  // A Map, because assigning to a key named `__proto__` would set the prototype instead of a key.
  const merged = new Map(Object.entries(base))
  for (const [key, value] of Object.entries(override)) {
    const before = merged.get(key)
    merged.set(key, isObject(before) && isObject(value) ? mergeConfig(before, value) : value)
  }
  return Object.fromEntries(merged)
}
