// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Status} from "./Status.sol";

/// @notice All that changes in a sale: slot 0, the only one, so that one storage proof tells all.
/// @param buyer Zero until bought.
/// @param status Where the sale stands.
/// @param attempt How often a voucher died by `revoke` or `abort`; a voucher is bound to one attempt.
/// @param refundableAt From this second on the buyer may take the escrow back; 0 in an instant sale.
/// @param device The id of the releasing device; 0 until released.
struct SaleState {
    address buyer;
    Status status;
    uint24 attempt;
    uint40 refundableAt;
    uint24 device;
}
