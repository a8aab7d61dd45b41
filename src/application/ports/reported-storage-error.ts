import { StorageError } from './log-store.ts'

/** A storage error that the adapter has logged: whoever meets it, now or later, need not say it again. */
export class ReportedStorageError extends StorageError {}
