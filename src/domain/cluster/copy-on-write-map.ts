/**
 * A map that is read from `base` until the first change, which copies it once. `freeze` hands the result out as
 * immutable: the next change copies again, and a map without changes is handed out as it came.
 */
export class CopyOnWriteMap<Key, Value> {
  #base: ReadonlyMap<Key, Value>
  #copy: Map<Key, Value> | null = null

  constructor(base: ReadonlyMap<Key, Value>) {
    this.#base = base
  }

  get(key: Key): Value | undefined {
    return (this.#copy ?? this.#base).get(key)
  }

  set(key: Key, value: Value): void {
    this.#writable().set(key, value)
  }

  delete(key: Key): void {
    if ((this.#copy ?? this.#base).has(key)) this.#writable().delete(key)
  }

  keys(): readonly Key[] {
    return [...(this.#copy ?? this.#base).keys()]
  }

  freeze(): ReadonlyMap<Key, Value> {
    if (this.#copy !== null) {
      this.#base = this.#copy
      this.#copy = null
    }
    return this.#base
  }

  #writable(): Map<Key, Value> {
    this.#copy ??= new Map(this.#base)
    return this.#copy
  }
}

/** A map of maps with the same rule on both levels; an inner map that becomes empty disappears. */
export class CopyOnWriteMaps<Outer, Inner, Value> {
  readonly #outer: CopyOnWriteMap<Outer, ReadonlyMap<Inner, Value>>
  readonly #touched = new Map<Outer, Map<Inner, Value>>()

  constructor(base: ReadonlyMap<Outer, ReadonlyMap<Inner, Value>>) {
    this.#outer = new CopyOnWriteMap(base)
  }

  set(outer: Outer, inner: Inner, value: Value): void {
    this.#writable(outer).set(inner, value)
  }

  delete(outer: Outer, inner: Inner): void {
    if ((this.#touched.get(outer) ?? this.#outer.get(outer))?.has(inner) === true) this.#writable(outer).delete(inner)
  }

  deleteAll(outer: Outer): void {
    this.#touched.delete(outer)
    this.#outer.delete(outer)
  }

  freeze(): ReadonlyMap<Outer, ReadonlyMap<Inner, Value>> {
    for (const [outer, inner] of this.#touched) {
      if (inner.size === 0) this.#outer.delete(outer)
      else this.#outer.set(outer, inner)
    }
    this.#touched.clear()
    return this.#outer.freeze()
  }

  #writable(outer: Outer): Map<Inner, Value> {
    let inner = this.#touched.get(outer)
    if (inner === undefined) {
      inner = new Map(this.#outer.get(outer))
      this.#touched.set(outer, inner)
    }
    return inner
  }
}
