// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice The life of a sale. The values are part of the interface: storage proofs read them.
enum Status {
    Listed, // 0: open to buy
    Sold, // 1: paid for and not yet released
    Releasing, // 2: the voucher is consumed, a device is opening
    Released, // 3: the goods are out
    Cancelled, // 4: withdrawn by the seller before anybody bought
    Refunded // 5: the escrow went back to the buyer
}
