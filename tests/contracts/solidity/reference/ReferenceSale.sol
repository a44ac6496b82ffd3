// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Status} from "../../../../contracts/src/types/Status.sol";
import {ReferenceRegistry} from "./ReferenceRegistry.sol";

/// @notice What the rules say about a sale, written to be read: a variable a fact, money as numbers.
/// Every function answers whether the rules allow it, and does it then.
contract ReferenceSale {
    ReferenceRegistry public immutable REGISTRY;
    address public immutable SELLER;
    uint256 public immutable PRICE;
    uint256 public immutable WINDOW;
    uint256 public immutable SITE;

    Status public status;
    address public buyer;
    uint256 public attempt;
    uint256 public refundableAt;
    uint256 public device;

    uint256 public held;
    uint256 public paidToSeller;
    uint256 public paidToBuyer;

    constructor(ReferenceRegistry registry, address seller, uint256 price, uint256 window, uint256 site) {
        REGISTRY = registry;
        SELLER = seller;
        PRICE = price;
        WINDOW = window;
        SITE = site;
    }

    function buy(address who, uint256 sent, bool sellerRefuses) external returns (bool) {
        if (status != Status.Listed || sent != PRICE) return false;
        if (isInstant() && sellerRefuses) return false;
        status = Status.Sold;
        buyer = who;
        if (isInstant()) {
            paidToSeller += PRICE;
        } else {
            held = PRICE;
            refundableAt = block.timestamp + WINDOW;
        }
        return true;
    }

    function cancel(address who) external returns (bool) {
        if (status != Status.Listed || who != SELLER) return false;
        status = Status.Cancelled;
        return true;
    }

    function revoke(address who) external returns (bool) {
        if (status != Status.Sold || who != buyer) return false;
        attempt += 1;
        return true;
    }

    /// @param signed Whether the buyer signed for this sale, its present attempt and exactly this `expiresAt`.
    function release(address who, uint256 id, uint256 expiresAt, bool signed) external returns (bool) {
        if (status != Status.Sold) return false;
        if (!REGISTRY.mayRelease(id, who, SITE)) return false;
        if (!signed) return false;
        if (block.timestamp >= expiresAt) return false;
        if (!isInstant() && block.timestamp >= refundableAt) return false;
        status = Status.Releasing;
        device = id;
        return true;
    }

    function complete(address who, bool sellerRefuses) external returns (bool) {
        if (status != Status.Releasing || !REGISTRY.maySettle(device, who)) return false;
        status = Status.Released;
        if (!sellerRefuses) _paySeller();
        return true;
    }

    function abort(address who) external returns (bool) {
        if (status != Status.Releasing || !REGISTRY.maySettle(device, who)) return false;
        status = Status.Sold;
        attempt += 1;
        device = 0;
        return true;
    }

    function refund(address who, bool buyerRefuses) external returns (bool) {
        if (isInstant()) return false;
        bool bySeller = who == SELLER && status == Status.Sold;
        bool byBuyer = who == buyer
            && (status == Status.Sold
                && block.timestamp >= refundableAt
                || status == Status.Releasing
                && block.timestamp >= refundableAt + 7 days);
        if (!bySeller && !byBuyer) return false;
        status = Status.Refunded;
        if (!buyerRefuses) _payBuyer();
        return true;
    }

    function withdraw(address who, bool receiverRefuses) external returns (bool) {
        if (held == 0 || receiverRefuses) return false;
        if (status == Status.Released && who == SELLER) _paySeller();
        else if (status == Status.Refunded && who == buyer) _payBuyer();
        else return false;
        return true;
    }

    function isInstant() public view returns (bool) {
        return WINDOW == 0;
    }

    function _paySeller() private {
        paidToSeller += held;
        held = 0;
    }

    function _payBuyer() private {
        paidToBuyer += held;
        held = 0;
    }
}
