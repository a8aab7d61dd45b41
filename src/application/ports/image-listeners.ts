/** The listeners of a `MetadataRepository`: what every adapter does with them, so that all do it alike. */
import type { ClusterImage } from '../../domain/cluster/cluster-image.ts'

export type ImageListener = (image: ClusterImage, before: ClusterImage) => void

/**
 * Tells each listener each change once, in the order of the changes, also when a listener commits in turn.
 * A listener that throws does not keep the others from hearing; the first error is thrown when all have heard.
 */
export class ImageListeners {
  readonly #listeners = new Set<ImageListener>()
  readonly #untold: { readonly image: ClusterImage; readonly before: ClusterImage }[] = []
  #telling = false

  add(listener: ImageListener): () => void {
    const own: ImageListener = (image, before) => {
      listener(image, before)
    }
    this.#listeners.add(own)
    return () => {
      this.#listeners.delete(own)
    }
  }

  tell(image: ClusterImage, before: ClusterImage): void {
    this.#untold.push({ image, before })
    if (this.#telling) return
    this.#telling = true
    const errors: unknown[] = []
    for (let change = this.#untold.shift(); change !== undefined; change = this.#untold.shift()) {
      for (const listener of [...this.#listeners]) {
        try {
          listener(change.image, change.before)
        } catch (error) {
          errors.push(error)
        }
      }
    }
    this.#telling = false
    if (errors.length > 0) throw errors[0]
  }

  clear(): void {
    this.#listeners.clear()
  }
}
