import { logStoreContract } from '../../contracts/log-store.ts'
import { fileStorage } from '../../support/file-storage.ts'

logStoreContract('files', async () => {
  const storage = await fileStorage()
  return { store: storage.store(), reopened: () => storage.store(), dispose: storage.dispose }
})
