// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Sale} from "../../../contracts/src/Sale.sol";
import {SaleFactory} from "../../../contracts/src/SaleFactory.sol";
import {IDeviceRegistry} from "../../../contracts/src/interfaces/IDeviceRegistry.sol";
import {ISale} from "../../../contracts/src/interfaces/ISale.sol";
import {Item} from "../../../contracts/src/types/Item.sol";
import {Vm} from "../solidity/base/Vm.sol";
import {AnyRegistry} from "./AnyRegistry.sol";
import {Party} from "./Party.sol";

/// @notice Halmos' cheat codes that are used here: values of which nothing is known.
interface Svm {
    function createUint256(string calldata name) external returns (uint256);
    function createBool(string calldata name) external returns (bool);
    function createBytes32(string calldata name) external returns (bytes32);
}

/// @notice One step from any state: any caller, any second, any balance, any registry, any answer of the parties.
/// What one step keeps, every number of steps keeps, so the proofs need no bound on their number.
abstract contract Steps {
    Vm internal constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    Svm internal constant SVM = Svm(address(uint160(uint256(keccak256("svm cheat code")))));

    uint256 internal constant PRICE = 50 ether;
    uint256 internal constant LISTED = 0;
    uint256 internal constant SOLD = 1;
    uint256 internal constant RELEASING = 2;
    uint256 internal constant RELEASED = 3;
    uint256 internal constant CANCELLED = 4;
    uint256 internal constant REFUNDED = 5;

    /// @param slot Slot 0. @param balance The sale's ether. @param seller What the seller has. @param buyer The buyer.
    struct World {
        uint256 slot;
        uint256 balance;
        uint256 seller;
        uint256 buyer;
    }

    AnyRegistry internal registry;
    ISale internal sale;
    Party internal seller;
    Party internal buyer;

    function _window() internal pure virtual returns (uint256);

    function setUp() public {
        registry = new AnyRegistry();
        seller = new Party();
        buyer = new Party();
        SaleFactory factory = new SaleFactory(new Sale(IDeviceRegistry(address(registry))));
        VM.prank(address(seller));
        sale = ISale(factory.createSale(_item()));
    }

    /// @dev Any state that a sale can be in; the proofs below show that no step leaves these.
    function _assumeWellFormed(uint256 slot, uint256 balance) internal view {
        uint256 status = _status(slot);
        VM.assume(status <= REFUNDED);
        if (status == LISTED) VM.assume(slot == 0);
        if (status == CANCELLED) VM.assume(slot == CANCELLED << 160);
        bool bought = status != LISTED && status != CANCELLED;
        if (bought) {
            VM.assume(_buyer(slot) == address(buyer));
            VM.assume(_window() == 0 ? _refundableAt(slot) == 0 : _refundableAt(slot) != 0);
        }
        if (status == SOLD) VM.assume(_device(slot) == 0);
        if (status == RELEASING || status == RELEASED) VM.assume(_device(slot) != 0);
        VM.assume(status != REFUNDED || _window() != 0);
        VM.assume(balance < 2 ** 96);
        if (_holds(slot)) VM.assume(balance >= PRICE);
    }

    /// @dev Whether the sale owes escrow that nothing has moved yet.
    function _holds(uint256 slot) internal pure returns (bool) {
        return _window() != 0 && (_status(slot) == SOLD || _status(slot) == RELEASING);
    }

    function _place(uint256 slot, uint256 balance, uint256 time) internal returns (World memory) {
        uint256 id = SVM.createUint256("id");
        VM.assume(id < 2 ** 24);
        registry.answer(id, SVM.createUint256("site"), SVM.createBool("settles"));
        seller.behave(SVM.createBool("seller accepts"), 0);
        buyer.behave(SVM.createBool("buyer accepts"), SVM.createBytes32("answer of the buyer's wallet"));
        _assumeWellFormed(slot, balance);
        VM.assume(time > 0 && time < 2 ** 40 - 400 days);
        VM.warp(time);
        VM.store(address(sale), 0, bytes32(slot));
        VM.deal(address(sale), balance);
        return _world();
    }

    function _world() internal view returns (World memory) {
        return World({
            slot: uint256(VM.load(address(sale), 0)),
            balance: address(sale).balance,
            seller: address(seller).balance,
            buyer: address(buyer).balance
        });
    }

    function _same(World memory a, World memory b) internal pure returns (bool) {
        return a.slot == b.slot && a.balance == b.balance && a.seller == b.seller && a.buyer == b.buyer;
    }

    function _buyer(uint256 slot) internal pure returns (address) {
        return address(uint160(slot));
    }

    function _status(uint256 slot) internal pure returns (uint256) {
        return uint8(slot >> 160);
    }

    function _attempt(uint256 slot) internal pure returns (uint256) {
        return uint24(slot >> 168);
    }

    function _refundableAt(uint256 slot) internal pure returns (uint256) {
        return uint40(slot >> 192);
    }

    function _device(uint256 slot) internal pure returns (uint256) {
        return slot >> 232;
    }

    function _with(uint256 slot, uint256 status) internal pure returns (uint256) {
        return (slot & ~(uint256(0xff) << 160)) | (status << 160);
    }

    function _item() private pure returns (Item memory) {
        return Item({
            make: "Nimbus",
            model: "alpha",
            number: "4AA6",
            year: 2019,
            price: PRICE,
            window: _window(),
            site: 1,
            edition: 0
        });
    }
}
