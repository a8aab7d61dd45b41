/** The driving side: the table of served APIs, the router and the TCP server. */
import { ContainerModule } from 'inversify'
import { FramePool } from '../../adapters/wire/frame-pool.ts'
import { served } from '../../adapters/wire/handlers/index.ts'
import { Router } from '../../adapters/wire/router.ts'
import { TcpServer } from '../../adapters/wire/tcp-server.ts'
import { memory, tcpServerSettings } from '../settings.ts'
import { parts, ports } from '../tokens.ts'

export const wireModule = new ContainerModule(({ bind }) => {
  bind(parts.framePool)
    .toResolvedValue(() => new FramePool(memory.framePoolBytes))
    .inSingletonScope()

  bind(parts.server)
    .toResolvedValue(
      (
        recordHandlers,
        replicaHandlers,
        clusterHandlers,
        groupHandlers,
        transactionHandlers,
        transactionLogHandlers,
        metadata,
        logger,
        timers,
        pool,
        server,
        live,
      ) => {
        const table = served(
          {
            ...recordHandlers,
            ...replicaHandlers,
            ...clusterHandlers,
            ...groupHandlers,
            ...transactionHandlers,
            ...transactionLogHandlers,
          },
          { nodeId: server.nodeId, image: () => metadata.image() },
        )
        const responder = new Router(table, logger)
        return new TcpServer({ responder, pool, logger, timers }, () => tcpServerSettings(server, live()))
      },
      [
        parts.recordHandlers,
        parts.replicaHandlers,
        parts.clusterHandlers,
        parts.groupHandlers,
        parts.transactionHandlers,
        parts.transactionLogHandlers,
        ports.metadata,
        ports.logger,
        ports.timers,
        parts.framePool,
        parts.serverConfig,
        parts.live,
      ],
    )
    .inSingletonScope()
})
