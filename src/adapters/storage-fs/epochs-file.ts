/** The `leader-epoch-checkpoint` of one log: written in the background, once for all that changed meanwhile. */
import type { LeaderEpochs } from '../../domain/log/leader-epochs.ts'
import { formatEpochs } from './checkpoint-text.ts'
import { EPOCHS_FILE } from './file-names.ts'
import type { FileSystem } from './file-system.ts'
import type { LogActivity } from './log-activity.ts'
import { replaceFile } from './whole-files.ts'

export class EpochsFile {
  readonly epochs: LeaderEpochs
  readonly #fs: FileSystem
  readonly #folder: string
  readonly #activity: LogActivity
  #saving = false

  constructor(fs: FileSystem, folder: string, activity: LogActivity, epochs: LeaderEpochs) {
    this.#fs = fs
    this.#folder = folder
    this.#activity = activity
    this.epochs = epochs
  }

  saveLater(): void {
    if (this.#saving) return
    this.#saving = true
    this.#activity.later(async () => {
      this.#saving = false
      await replaceFile(this.#fs, this.#folder, EPOCHS_FILE, formatEpochs(this.epochs.entries))
    })
  }
}
