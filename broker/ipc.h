/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What gate and core say to each other over an ipc socket (gate DEALER, core ROUTER). Both are of
 * one build, started by one supervisor: this is no public contract. First frame is one letter:
 *
 *   gate to core   "U" boot(8)                            the gate is up; sessions of its former
 * boot are gone "F" routing key(40) head body          a frame of an authenticated peer core to
 * gate   "K" n × key(41, NUL-ended)             keys that may connect; replaces the former list "S"
 * routing head body                  a frame for a peer
 */
#ifndef IPC_H
#define IPC_H
#define IPC_UP        'U'
#define IPC_FRAME     'F'
#define IPC_KEYS      'K'
#define IPC_SEND      'S'
#define IPC_KEY_BYTES 41
#endif
