import { logStoreContract } from '../../contracts/log-store.ts'
import { logUpkeepContract } from '../../contracts/log-upkeep.ts'
import { fileStorage } from '../../support/file-storage.ts'

const harness = async () => {
  const storage = await fileStorage()
  return { store: storage.store(), reopened: () => storage.store(), dispose: storage.dispose }
}
logStoreContract('files', harness)
logUpkeepContract('files', harness)
