/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What gate and core say to each other over an ipc socket (gate DEALER, core ROUTER). Both are of
 * one build, started by one supervisor: this is no public contract. First frame is one letter, or
 * empty: libzmq's probe of a new connection, so either side may have been started anew.
 *
 *   gate to core   (empty)                    a gate is there; sessions of its former life are gone
 *                  "F" routing key(40) head body      a frame of an authenticated peer
 *   core to gate   "K" core(8) n × key(41, NUL-ended) keys that may connect; replaces the former
 *                                             list. Another core than before knows no session
 *                  "S" routing head body              a frame for a peer
 */
#ifndef IPC_H
#define IPC_H
#define IPC_FRAME     'F'
#define IPC_KEYS      'K'
#define IPC_SEND      'S'
#define IPC_KEY_BYTES 41
#define IPC_GATE_NAME "gate" /* routing id: a gate that was started anew takes its former place */
#endif
